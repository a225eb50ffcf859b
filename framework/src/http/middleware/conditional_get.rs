use poem::{
    Endpoint, IntoResponse, Middleware, Request, Response, Result,
    http::{Method, StatusCode, header::ETAG},
};

use super::{
    etag,
    whole_body::{LONGEST, whole_body},
};

/// Gives responses an `ETag`, and answers 304 without a body to who has the same already. The handler runs each time:
/// what is saved is the way to the client. [`CacheResponse`](super::CacheResponse) does it, too.
///
/// It is for `GET` and `HEAD`, responses of the status 200, and bodies of known length up to 1 MiB; a handler's own `ETag`
/// is left as it is.
///
/// ```
/// use paravel::http::{ConditionalGet, Json, Result, Router, endpoint};
///
/// /// A long list, which changes seldom.
/// #[endpoint]
/// async fn ships() -> Result<Json<Vec<String>>> {
///     Ok(Json(vec!["Dawn Treader".to_owned()]))
/// }
///
/// fn routes(routes: &mut Router) {
///     routes.get("/ships", ships).middleware(ConditionalGet);
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ConditionalGet;

/// [`ConditionalGet`] around an endpoint.
pub struct ConditionalGetEndpoint<E>(E);

impl<E: Endpoint> Middleware<E> for ConditionalGet {
    type Output = ConditionalGetEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        ConditionalGetEndpoint(inner)
    }
}

impl<E: Endpoint> Endpoint for ConditionalGetEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let (method, asked) = (request.method().clone(), etag::asked(request.headers()));
        let mut response = self.0.call(request).await?.into_response();
        if !matches!(method, Method::GET | Method::HEAD) || response.status() != StatusCode::OK {
            return Ok(response);
        }
        if !response.headers().contains_key(ETAG)
            && let Some(body) = whole_body(&mut response, LONGEST).await?
        {
            // A handler of its own for HEAD has no body to name.
            if method == Method::GET || !body.is_empty() {
                etag::add(response.headers_mut(), &body);
            }
            response.set_body(body);
        }
        Ok(etag::unchanged(asked.as_ref(), response.headers()).unwrap_or(response))
    }
}
