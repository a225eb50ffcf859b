use poem::{
    IntoResponse, Response,
    http::{HeaderValue, StatusCode, header},
};
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

/// The same with `Cache-Control: no-store`, as an answer with a token must have (RFC 6749, 5.1).
///
/// ```
/// use paravel::http::{Created, NoStore};
/// use paravel::poem::IntoResponse;
///
/// let response = NoStore(Created("a token")).into_response();
/// assert_eq!(response.header("cache-control"), Some("no-store"));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct NoStore<T>(pub T);

impl<T: IntoResponse> IntoResponse for NoStore<T> {
    fn into_response(self) -> Response {
        let mut response = self.0.into_response();
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}
