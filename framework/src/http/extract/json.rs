use std::{
    error::Error,
    ops::{Deref, DerefMut},
};

use http_body_util::LengthLimitError;
use poem::{FromRequest, IntoResponse, Request, RequestBody, Response, error::ReadBodyError, http::StatusCode};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::error::Category;

use super::{faulty_field, in_words, named::Named, nul};
use crate::http::{Problem, middleware::Limit};

/// A JSON body, of a request or a response; straight through serde, with nothing in between.
///
/// A request without `application/json` is answered 415, one that is not JSON 400, and one whose fields are unknown,
/// missing or of another type 422 with the field's path. So is a text with a U+0000, which not every database keeps. A
/// struct is an object: an array of its fields' values is none.
#[derive(Debug, Clone, Copy, Default)]
pub struct Json<T>(pub T);

impl<T> Deref for Json<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for Json<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<'a, T: DeserializeOwned + Send> FromRequest<'a> for Json<T> {
    async fn from_request(request: &'a Request, body: &mut RequestBody) -> poem::Result<Self> {
        if !request.content_type().is_some_and(is_json) {
            let detail = "the body must be JSON, with the header `Content-Type: application/json`";
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail).into());
        }
        let limit = request.data::<Limit>().map_or(usize::MAX, |limit| limit.0);
        let bytes = body.take()?.into_bytes().await.map_err(|error| unreadable(&error, limit))?;
        let mut deserializer = serde_json::Deserializer::from_slice(&bytes);
        let read = T::deserialize(Named(&mut deserializer)).and_then(|value| deserializer.end().map(|()| value));
        match read {
            Ok(value) => match nul::path_in_json(&bytes) {
                None => Ok(Self(value)),
                Some(path) => {
                    Err(Problem::unprocessable("the body has a wrong field").field(path, nul::MESSAGE).into())
                }
            },
            Err(error) if error.classify() == Category::Data => Err(wrong_field::<T>(&bytes).into()),
            Err(error) => Err(Problem::bad_request(format!("the body is not JSON: {error}")).into()),
        }
    }
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

fn unreadable(error: &ReadBodyError, limit: usize) -> Problem {
    let mut cause: Option<&(dyn Error + 'static)> = match error {
        ReadBodyError::Io(error) => Some(error),
        _ => None,
    };
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return Problem::too_large(limit);
        }
        // An I/O error's `source` is that of what it wraps, which would be passed over.
        cause = match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => error.source(),
        };
    }
    Problem::bad_request("the body broke off")
}

/// Reads the body again, slower, to find out which field was wrong.
fn wrong_field<T: DeserializeOwned>(bytes: &[u8]) -> Problem {
    let problem = Problem::unprocessable("the body has a wrong field");
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    match serde_path_to_error::deserialize::<_, T>(Named(&mut deserializer)) {
        Ok(_) => problem,
        Err(error) => {
            let path = faulty_field(error.path(), &error.inner().to_string());
            problem.field(path, in_words(without_position(&error.inner().to_string())))
        }
    }
}

/// The message without serde_json's line and column, which say little once the field is named.
fn without_position(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(message, _)| message)
}

impl<T: Serialize + Send> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => Response::builder().content_type("application/json").body(bytes),
            Err(error) => poem::Error::from(Problem::internal(error)).into_response(),
        }
    }
}
