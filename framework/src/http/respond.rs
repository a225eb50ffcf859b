use poem::{IntoResponse, Response, http::StatusCode};
use serde::Serialize;

use super::Json;

/// 201 with a JSON body.
///
/// ```
/// use paravel::http::Created;
/// use paravel::poem::IntoResponse;
///
/// assert_eq!(Created("a ship").into_response().status().as_u16(), 201);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Created<T>(pub T);

impl<T: Serialize + Send> IntoResponse for Created<T> {
    fn into_response(self) -> Response {
        Json(self.0).with_status(StatusCode::CREATED).into_response()
    }
}

/// 204: done, and nothing to say.
#[derive(Debug, Clone, Copy)]
pub struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response {
        StatusCode::NO_CONTENT.into_response()
    }
}
