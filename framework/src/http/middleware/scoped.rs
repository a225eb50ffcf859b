use std::sync::Arc;

use poem::{Endpoint, Middleware, Request, Result};

use crate::container::{Ambient, Container, Scope, enter};

/// Runs each request in the container, in a scope of its own. A request that carries an `Arc<Scope>` among its
/// extensions, as a test's may, runs in that.
#[derive(Clone)]
pub struct Scoped(pub Container);

/// [`Scoped`] around an endpoint.
pub struct ScopedEndpoint<E> {
    container: Container,
    inner: E,
}

impl<E: Endpoint> Middleware<E> for Scoped {
    type Output = ScopedEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        ScopedEndpoint { container: self.0.clone(), inner }
    }
}

impl<E: Endpoint> Endpoint for ScopedEndpoint<E> {
    type Output = E::Output;

    async fn call(&self, request: Request) -> Result<Self::Output> {
        let container = match request.extensions().get::<Arc<Scope>>() {
            Some(scope) => self.container.with_scope(Arc::clone(scope)),
            None => self.container.scope(),
        };
        enter(Ambient::new(container), self.inner.call(request)).await
    }
}
