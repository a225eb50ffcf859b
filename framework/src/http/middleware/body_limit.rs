use http_body_util::{BodyExt, Limited};
use poem::{
    Body, Endpoint, Middleware, Request, Result,
    http::{
        Version,
        header::{CONTENT_LENGTH, TRANSFER_ENCODING},
    },
};

use crate::http::Problem;

/// Refuses bodies longer than this many bytes, whether their length is announced or not.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimit(pub usize);

/// The limit in force, among the request's extensions.
#[derive(Debug, Clone, Copy)]
pub(in crate::http) struct Limit(pub(in crate::http) usize);

/// [`BodyLimit`] around an endpoint.
pub struct BodyLimitEndpoint<E> {
    limit: usize,
    inner: E,
}

impl<E: Endpoint> Middleware<E> for BodyLimit {
    type Output = BodyLimitEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        BodyLimitEndpoint { limit: self.0, inner }
    }
}

impl<E: Endpoint> Endpoint for BodyLimitEndpoint<E> {
    type Output = E::Output;

    async fn call(&self, mut request: Request) -> Result<Self::Output> {
        let announced =
            request.headers().get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        let unknown = request.headers().contains_key(TRANSFER_ENCODING) || request.version() == Version::HTTP_2;
        match announced {
            Some(length) if length > self.limit as u64 => return Err(Problem::too_large(self.limit).into()),
            // The server lets no more through than was announced.
            Some(_) => {}
            None if unknown => {
                let body: http_body_util::combinators::BoxBody<_, _> = request.take_body().into();
                let limited = Limited::new(body, self.limit).map_err(std::io::Error::other);
                request.set_body(Body::from(limited.boxed()));
                request.set_data(Limit(self.limit));
            }
            None => {}
        }
        self.inner.call(request).await
    }
}
