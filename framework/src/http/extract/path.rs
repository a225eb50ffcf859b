use std::ops::Deref;

use poem::{FromRequest, Request, RequestBody};
use serde::de::DeserializeOwned;

use crate::http::Problem;

/// The path's parameters: one value, a tuple, or a struct. Where they have the wrong form, or a U+0000, there is
/// nothing at that address: 404.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<T> Deref for Path<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

const NOTHING: &str = "there is nothing at this address";

impl<'a, T: DeserializeOwned + Send> FromRequest<'a> for Path<T> {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        // No text with a U+0000 is kept anywhere that could be looked for.
        if request.uri().path().contains("%00") {
            return Err(Problem::not_found(NOTHING).into());
        }
        let parameters = request.path_params().map(Self);
        parameters.map_err(|_| Problem::not_found(NOTHING).into())
    }
}
