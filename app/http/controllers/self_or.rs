use std::{marker::PhantomData, sync::Arc};

use paravel::{
    auth::{Actor, Permission},
    facades::Gate,
    http::{Path, Problem},
    poem::{FromRequest, Request, RequestBody, Result},
};

use crate::models::UserId;

/// Whoever acts on the user of the path: that user, or somebody with the permission `P`.
pub struct SelfOr<P> {
    /// Who acts.
    pub actor: Arc<Actor>,
    /// On whom.
    pub id: UserId,
    permission: PhantomData<fn() -> P>,
}

impl<'a, P: Permission> FromRequest<'a> for SelfOr<P> {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> Result<Self> {
        let Path(id) = Path::<UserId>::from_request(request, body).await?;
        let actor = Gate::actor().map_err(Problem::from)?;
        if actor.id != id.uuid() {
            Gate::authorize(P::NAME).map_err(Problem::from)?;
        }
        Ok(Self { actor, id, permission: PhantomData })
    }
}
