use std::ops::Deref;

use poem::{FromRequest, Request, RequestBody};
use serde::de::DeserializeOwned;
use serde_urlencoded::Deserializer;

use super::{faulty_field, in_words, nul};
use crate::http::Problem;

/// The query string as a struct. A parameter of the wrong form, or with a U+0000 in it, is answered 422 with its name.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<T> Deref for Query<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<'a, T: DeserializeOwned + Send> FromRequest<'a> for Query<T> {
    async fn from_request(request: &'a Request, _body: &mut RequestBody) -> poem::Result<Self> {
        let query = request.uri().query().unwrap_or_default();
        let pairs = form_urlencoded::parse(query.as_bytes());
        if let Some((name, _)) = pairs.clone().find(|(name, value)| name.contains('\0') || value.contains('\0')) {
            let problem = Problem::unprocessable("the query has a wrong parameter");
            return Err(problem.field(name, nul::MESSAGE).into());
        }
        serde_path_to_error::deserialize(Deserializer::new(pairs)).map(Self).map_err(|error| {
            let problem = Problem::unprocessable("the query has a wrong parameter");
            let message = error.inner().to_string();
            problem.field(faulty_field(error.path(), &message), in_words(&message)).into()
        })
    }
}
