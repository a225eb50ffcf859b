use poem::{FromRequest, Request, RequestBody};

use crate::{
    container::{ContainerError, Inject, with_current},
    http::Problem,
};

impl<'a, T: ?Sized + Send + Sync + 'static> FromRequest<'a> for Inject<T> {
    async fn from_request(_request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        let made = with_current(|app| app.make()).map_err(ContainerError::from).flatten();
        made.map(Self).map_err(|error| Problem::from(error).into())
    }
}
