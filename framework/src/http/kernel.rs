use std::sync::Arc;

use poem::{Endpoint, EndpointExt, Request, Response, endpoint::BoxEndpoint};

use super::{
    BodyLimit, CatchPanic, Render, RepeatedQueries, RequestId, RouteTable, Scoped, SecureHeaders, ServerTiming, Trace,
};
use crate::{
    config::{AppConfig, Environment, HttpConfig, LogConfig},
    container::Container,
    database::WatchPolicy,
};

/// What every request passes before its route and every response after it.
///
/// From the outside in: the scope, the request id, the trace span, the security headers, the problem renderer, the panic
/// catcher, the body limit. Inside the security headers stand the report of repeated queries, where these are watched,
/// and the server's timing, where the application is local.
#[derive(Clone)]
pub struct Kernel {
    routes: Arc<BoxEndpoint<'static, Response>>,
    table: Arc<RouteTable>,
    body_limit: usize,
    watching: bool,
    local: bool,
    trace: Trace,
}

impl Kernel {
    /// A kernel around these routes.
    pub(crate) fn new(
        routes: BoxEndpoint<'static, Response>,
        table: Arc<RouteTable>,
        http: &HttpConfig,
        app: &AppConfig,
        log: &LogConfig,
        watch: WatchPolicy,
    ) -> Self {
        let local = app.env == Environment::Local;
        Self {
            routes: Arc::new(routes),
            table,
            body_limit: http.body_limit,
            watching: watch.watching,
            local,
            trace: Trace { shown: log.requests.unwrap_or(local) },
        }
    }

    /// The endpoint that answers requests in this container.
    pub fn endpoint(&self, container: &Container) -> impl Endpoint<Output = Response> + 'static {
        Routes(Arc::clone(&self.routes))
            .with(BodyLimit(self.body_limit))
            .with(CatchPanic)
            .with(Render)
            .with_if(self.watching, RepeatedQueries(Arc::clone(&self.table)))
            .with_if(self.local, ServerTiming)
            .with(SecureHeaders)
            .with(self.trace)
            .with(RequestId::middleware())
            .with(Scoped(container.clone()))
    }
}

struct Routes(Arc<BoxEndpoint<'static, Response>>);

impl Endpoint for Routes {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        self.0.call(request).await
    }
}
