use std::time::Instant;

use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result};
use tracing::Instrument;

use super::RequestId;
use crate::container::in_scope;

/// Runs each request in a span with its method, path and id, and logs in one line how it ended. The query is left out,
/// because it may hold secrets; `LOG_LEVEL=warn,http=info` shows these lines alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trace {
    /// Whether that line's level is `info`, which is shown by default; else it is `debug`.
    pub shown: bool,
}

/// [`Trace`] around an endpoint.
pub struct TraceEndpoint<E> {
    inner: E,
    shown: bool,
}

impl<E: Endpoint> Middleware<E> for Trace {
    type Output = TraceEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        TraceEndpoint { inner, shown: self.shown }
    }
}

impl<E: Endpoint> Endpoint for TraceEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let id = in_scope::<RequestId>().ok().flatten();
        let span = tracing::info_span!(
            "request",
            method = %request.method(),
            path = %request.uri().path(),
            id = id.as_ref().map(|id| id.as_str()),
        );
        let started = Instant::now();
        async move {
            let response = self.inner.call(request).await?.into_response();
            let status = response.status().as_u16();
            // To the microsecond: more would be noise.
            let ms = (started.elapsed().as_secs_f64() * 1e6).round() / 1e3;
            if self.shown {
                tracing::info!(target: "http", status, ms, "answered");
            } else {
                tracing::debug!(target: "http", status, ms, "answered");
            }
            Ok(response)
        }
        .instrument(span)
        .await
    }
}
