use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result, http::HeaderValue};

use crate::{container::in_scope, database::QueryWatch};

/// Says in `Server-Timing` how many queries each request ran and how long they took, which browsers show beside the
/// request. The kernel adds it where the application is local: elsewhere it would tell strangers too much.
///
/// ```text
/// Server-Timing: db;dur=1.234;desc="7 queries"
/// ```
#[derive(Debug, Clone, Copy)]
pub struct ServerTiming;

/// [`ServerTiming`] around an endpoint.
pub struct ServerTimingEndpoint<E>(E);

impl<E: Endpoint> Middleware<E> for ServerTiming {
    type Output = ServerTimingEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        ServerTimingEndpoint(inner)
    }
}

impl<E: Endpoint> Endpoint for ServerTimingEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let mut response = self.0.call(request).await?.into_response();
        let watch = in_scope::<QueryWatch>();
        let (count, elapsed) =
            watch.ok().flatten().map_or_else(Default::default, |watch| (watch.count(), watch.elapsed()));
        // The unit is the standard's: milliseconds.
        let milliseconds = elapsed.as_secs_f64() * 1000.0;
        let noun = if count == 1 { "query" } else { "queries" };
        if let Ok(value) = HeaderValue::try_from(format!("db;dur={milliseconds:.3};desc=\"{count} {noun}\"")) {
            response.headers_mut().append("server-timing", value);
        }
        Ok(response)
    }
}
