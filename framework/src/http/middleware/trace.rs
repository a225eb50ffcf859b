use std::{sync::Arc, time::Instant};

use poem::{Endpoint, IntoResponse, Middleware, Request, Response, Result};
use tracing::Instrument;

use super::RequestId;
use crate::container::with_current;

/// Runs each request in a span with its method, path and id, and logs how it ended at the level `debug`. The query
/// is left out, because it may hold secrets.
#[derive(Debug, Clone, Copy)]
pub struct Trace;

/// [`Trace`] around an endpoint.
pub struct TraceEndpoint<E>(E);

impl<E: Endpoint> Middleware<E> for Trace {
    type Output = TraceEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        TraceEndpoint(inner)
    }
}

impl<E: Endpoint> Endpoint for TraceEndpoint<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let id = with_current(|app| app.current_scope().and_then(|scope| scope.get::<RequestId>()));
        let id: Option<Arc<RequestId>> = id.ok().flatten();
        let span = tracing::info_span!(
            "request",
            method = %request.method(),
            path = %request.uri().path(),
            id = id.as_ref().map(|id| id.as_str()),
        );
        let started = Instant::now();
        async move {
            let response = self.0.call(request).await?.into_response();
            let elapsed = started.elapsed();
            tracing::debug!(status = response.status().as_u16(), ?elapsed, "answered");
            Ok(response)
        }
        .instrument(span)
        .await
    }
}
