use std::ops::Deref;

use poem::{FromRequest, Request, RequestBody};
use serde::de::DeserializeOwned;

use crate::http::Problem;

/// The path's parameters: one value, a tuple, or a struct. Where they have the wrong form, there is nothing at that
/// address: 404.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<T> Deref for Path<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'a, T: DeserializeOwned + Send> FromRequest<'a> for Path<T> {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        let parameters = request.path_params().map(Self);
        parameters.map_err(|_| Problem::not_found("there is nothing at this address").into())
    }
}
