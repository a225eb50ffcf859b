use std::sync::Arc;

use poem::{Endpoint, Middleware, Request, Result, http::Method};

use crate::{container::in_scope, database::QueryWatch, http::RouteTable};

/// Logs, once a request, each query that ran as often as `DB_N_PLUS_ONE` says, with the route whose handler should ask
/// once for all. The kernel adds it where queries are watched.
#[derive(Debug, Clone)]
pub struct RepeatedQueries(pub Arc<RouteTable>);

/// [`RepeatedQueries`] around an endpoint.
pub struct RepeatedQueriesEndpoint<E> {
    routes: Arc<RouteTable>,
    inner: E,
}

impl<E: Endpoint> Middleware<E> for RepeatedQueries {
    type Output = RepeatedQueriesEndpoint<E>;

    fn transform(&self, inner: E) -> Self::Output {
        RepeatedQueriesEndpoint { routes: Arc::clone(&self.0), inner }
    }
}

impl<E: Endpoint> Endpoint for RepeatedQueriesEndpoint<E> {
    type Output = E::Output;

    async fn call(&self, request: Request) -> Result<Self::Output> {
        let (method, uri) = (request.method().clone(), request.uri().clone());
        let output = self.inner.call(request).await;
        if let Ok(Some(watch)) = in_scope::<QueryWatch>() {
            report(&watch, &self.routes, &method, uri.path());
        }
        output
    }
}

fn report(watch: &QueryWatch, routes: &RouteTable, method: &Method, path: &str) {
    let repeated = watch.repeated();
    if repeated.is_empty() {
        return;
    }
    let route = routes.find_by_path(method.as_str(), path);
    for query in repeated {
        tracing::warn!(
            route = route.map(|route| format!("{} {}", route.method, route.path)),
            handler = route.map(|route| route.operation.handler),
            count = query.count,
            elapsed = ?query.elapsed,
            fingerprint = %query.fingerprint(),
            sql = %query.sql,
            source = query.source.map(tracing::field::display),
            "the same query ran again and again in one request (N+1)"
        );
    }
}
