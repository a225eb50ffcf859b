use std::{marker::PhantomData, ops::Deref, sync::Arc};

use poem::{FromRequest, Request, RequestBody};

use crate::{
    auth::{Actor, AuthError, Gate, Permission},
    container::{ContainerError, current},
    http::{Describe, Operation, Problem},
};

/// Whoever acts, who has the permission `P`; anybody else is answered 401 or 403. A handler's arguments are extracted in
/// their order: before the body, it keeps from telling people what is wrong with what they may not send.
///
/// It dereferences to the [`Actor`].
///
/// ```
/// use paravel::{auth::Permission, endpoint, http::{Can, Json, NoContent, Result}};
///
/// enum LaunchShips {}
///
/// impl Permission for LaunchShips {
///     const NAME: &'static str = "ships.launch";
/// }
///
/// /// Launches a ship.
/// #[endpoint]
/// pub async fn launch(captain: Can<LaunchShips>, name: Json<String>) -> Result<NoContent> {
///     assert!(captain.can("ships.launch"));
///     Ok(NoContent)
/// }
/// ```
#[derive(Debug)]
pub struct Can<P>(Arc<Actor>, PhantomData<fn() -> P>);

impl<P> Deref for Can<P> {
    type Target = Actor;

    fn deref(&self) -> &Actor {
        &self.0
    }
}

impl<P> Describe for Can<P> {
    fn describe(operation: &mut Operation) {
        operation.input::<Self>();
        operation.needs::<Arc<Gate>>();
    }
}

impl<'a, P: Permission> FromRequest<'a> for Can<P> {
    async fn from_request(_request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        let gate: Result<Arc<Gate>, _> = current().map_err(ContainerError::from).and_then(|app| app.make());
        let actor = gate.map_err(AuthError::from).and_then(|gate| gate.authorize(P::NAME));
        Ok(Self(actor.map_err(Problem::from)?, PhantomData))
    }
}
