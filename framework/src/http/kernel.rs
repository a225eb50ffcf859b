use std::sync::Arc;

use poem::{Endpoint, EndpointExt, Request, Response, endpoint::BoxEndpoint};

use super::{BodyLimit, CatchPanic, Render, RequestId, Scoped, SecureHeaders, Trace};
use crate::{config::HttpConfig, container::Container};

/// What every request passes before its route and every response after it.
///
/// From the outside in: the scope, the request id, the trace span, the security headers, the problem renderer, the panic
/// catcher, the body limit.
#[derive(Clone)]
pub struct Kernel {
    routes: Arc<BoxEndpoint<'static, Response>>,
    body_limit: usize,
}

impl Kernel {
    /// A kernel around these routes.
    pub(crate) fn new(routes: BoxEndpoint<'static, Response>, config: &HttpConfig) -> Self {
        Self { routes: Arc::new(routes), body_limit: config.body_limit }
    }

    /// The endpoint that answers requests in this container.
    pub fn endpoint(&self, container: &Container) -> impl Endpoint<Output = Response> + 'static {
        Routes(Arc::clone(&self.routes))
            .with(BodyLimit(self.body_limit))
            .with(CatchPanic)
            .with(Render)
            .with(SecureHeaders)
            .with(Trace)
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
