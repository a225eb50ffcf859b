use std::{collections::BTreeMap, sync::Arc};

use poem::{Endpoint, EndpointExt, IntoEndpoint, Middleware, Response, Route, endpoint::BoxEndpoint, http::Method};

use super::{
    Group, Handler, IntoHandler, Operation, Resource, RouteInfo, RouteTable, methods::Methods, pattern::Pattern,
};
use crate::container::{DependencyInfo, GraphFault, Root};

type Boxed = BoxEndpoint<'static, Response>;

/// The application's routes: a flat, named list.
///
/// Parameters are written `{name}` and stand for a whole part of the path; `*name` at the end stands for all that is left.
/// Groups carry a prefix, a name's beginning and middleware.
#[derive(Default)]
pub struct Router {
    routes: Vec<Definition>,
    prefix: String,
    name: String,
    middleware: Vec<Arc<dyn RouteMiddleware>>,
}

struct Definition {
    method: Method,
    path: String,
    name: Option<String>,
    name_prefix: String,
    middleware: Vec<Arc<dyn RouteMiddleware>>,
    operation: Operation,
    endpoint: Boxed,
}

/// What stands around a route. It is implemented for every `poem::Middleware`; one that asks the container for something
/// implements it instead, and says for what, so that an application where that is not bound does not start.
///
/// ```
/// use std::sync::Arc;
/// use paravel::container::{ContainerError, DependencyInfo, current};
/// use paravel::http::{Problem, RouteMiddleware};
/// use paravel::poem::{EndpointExt, IntoResponse, Response, Result, endpoint::BoxEndpoint};
/// use paravel::support::Clock;
///
/// /// Says in each answer what time it is.
/// struct Dated;
///
/// impl RouteMiddleware for Dated {
///     fn name(&self) -> &'static str {
///         "Dated"
///     }
///
///     fn dependencies(&self) -> Vec<DependencyInfo> {
///         vec![DependencyInfo::one::<dyn Clock>()]
///     }
///
///     fn wrap(&self, endpoint: BoxEndpoint<'static, Response>) -> BoxEndpoint<'static, Response> {
///         let dated = endpoint.after(|response: Result<Response>| async {
///             let clock = current().map_err(ContainerError::from).and_then(|app| app.make::<dyn Clock>());
///             let now = clock.map_err(Problem::from)?.now();
///             Ok(response?.with_header("x-now", now.to_string()))
///         });
///         dated.map_to_response().boxed()
///     }
/// }
/// ```
pub trait RouteMiddleware: Send + Sync {
    /// Its type, for `route:list`.
    fn name(&self) -> &'static str;

    /// What it asks the container for.
    fn dependencies(&self) -> Vec<DependencyInfo> {
        Vec::new()
    }

    /// Puts it around an endpoint.
    fn wrap(&self, endpoint: Boxed) -> Boxed;
}

impl<M> RouteMiddleware for M
where
    M: Middleware<Boxed> + Send + Sync,
    M::Output: Endpoint + 'static,
{
    fn name(&self) -> &'static str {
        std::any::type_name::<M>()
    }

    fn wrap(&self, endpoint: Boxed) -> Boxed {
        self.transform(endpoint).map_to_response().boxed()
    }
}

/// A route just added, to be named.
pub struct RouteRef<'a>(&'a mut Definition);

impl RouteRef<'_> {
    /// Names the route, after the names of the groups around it.
    #[expect(clippy::return_self_not_must_use, reason = "a statement may end here")]
    pub fn name(self, name: &str) -> Self {
        self.0.name = Some(format!("{}{name}", self.0.name_prefix));
        self
    }

    /// Puts a middleware around this route alone, inside those of its groups.
    #[expect(clippy::return_self_not_must_use, reason = "a statement may end here")]
    pub fn middleware(self, middleware: impl RouteMiddleware + 'static) -> Self {
        self.0.middleware.push(Arc::new(middleware));
        self
    }
}

impl Router {
    /// No routes.
    pub fn new() -> Self {
        Self::default()
    }

    /// A route for `GET`, which answers `HEAD` too.
    pub fn get(&mut self, path: &str, handler: impl IntoHandler) -> RouteRef<'_> {
        self.route(Method::GET, path, handler)
    }

    /// A route for `POST`.
    pub fn post(&mut self, path: &str, handler: impl IntoHandler) -> RouteRef<'_> {
        self.route(Method::POST, path, handler)
    }

    /// A route for `PUT`.
    pub fn put(&mut self, path: &str, handler: impl IntoHandler) -> RouteRef<'_> {
        self.route(Method::PUT, path, handler)
    }

    /// A route for `PATCH`.
    pub fn patch(&mut self, path: &str, handler: impl IntoHandler) -> RouteRef<'_> {
        self.route(Method::PATCH, path, handler)
    }

    /// A route for `DELETE`.
    pub fn delete(&mut self, path: &str, handler: impl IntoHandler) -> RouteRef<'_> {
        self.route(Method::DELETE, path, handler)
    }

    /// A route for any method.
    pub fn route(&mut self, method: Method, path: &str, handler: impl IntoHandler) -> RouteRef<'_> {
        let handler = handler.into_handler();
        let operation = handler.operation();
        let index = self.routes.len();
        self.routes.push(Definition {
            method,
            path: join(&self.prefix, path),
            name: None,
            name_prefix: self.name.clone(),
            middleware: self.middleware.clone(),
            operation,
            endpoint: handler.boxed(),
        });
        RouteRef(&mut self.routes[index])
    }

    /// The routes of a [`Resource`] under a path, named `users.index`, `users.store`, `users.show`,
    /// `users.update` and `users.destroy` after its last segment.
    pub fn resource(&mut self, path: &str, resource: Resource) {
        resource.add_to(self, path);
    }

    /// Begins a group whose paths start with `prefix`.
    pub fn prefix(&mut self, prefix: &str) -> Group<'_> {
        Group::new(self).prefix(prefix)
    }

    /// Begins a group whose names start with `name`.
    pub fn name(&mut self, name: &str) -> Group<'_> {
        Group::new(self).name(name)
    }

    /// Begins a group with a middleware around each route; those of outer groups are outside it.
    pub fn middleware(&mut self, middleware: impl RouteMiddleware + 'static) -> Group<'_> {
        Group::new(self).middleware(middleware)
    }

    /// Adds routes with a prefix, a name's beginning and middleware.
    pub(super) fn within(
        &mut self,
        prefix: &str,
        name: &str,
        middleware: Vec<Arc<dyn RouteMiddleware>>,
        routes: impl FnOnce(&mut Self),
    ) {
        let (inner_prefix, inner_name) = (join(&self.prefix, prefix), format!("{}{name}", self.name));
        let outer_prefix = std::mem::replace(&mut self.prefix, inner_prefix);
        let outer_name = std::mem::replace(&mut self.name, inner_name);
        let outer_middleware = self.middleware.clone();
        self.middleware.extend(middleware);
        routes(self);
        self.prefix = outer_prefix;
        self.name = outer_name;
        self.middleware = outer_middleware;
    }

    /// The list of all routes, what they need, the endpoint that serves them, and a fault for each path or name that two
    /// routes have and each path that cannot be matched. Of routes with faults the list and the endpoint are good for
    /// nothing but to look for further faults.
    pub(crate) fn build(self) -> (RouteTable, Vec<Root>, Boxed, Vec<GraphFault>) {
        let mut faults = Vec::new();
        let mut infos: Vec<RouteInfo> = Vec::new();
        let mut roots = Vec::new();
        // By shape: poem would keep paths that differ only in a parameter's name apart, and ask the first alone.
        let mut by_shape: BTreeMap<String, (Pattern, Methods)> = BTreeMap::new();
        for route in self.routes {
            let label = format!("{} {}", route.method, route.path);
            if infos.iter().any(|known| known.name.is_some() && known.name == route.name) {
                let name = route.name.clone().unwrap_or_default();
                faults.push(GraphFault::DuplicateName(format!("two routes are called `{name}`")));
            }
            let around = route.middleware.iter().flat_map(|one| one.dependencies());
            let dependencies = around.chain(route.operation.dependencies.iter().copied()).collect();
            roots.push(Root { kind: "route", name: label.clone(), dependencies });
            let parsed = Pattern::parse(&route.path);
            infos.push(RouteInfo {
                method: route.method.to_string(),
                path: route.path.clone(),
                name: route.name,
                operation: route.operation,
                middleware: route.middleware.iter().map(|one| crate::support::short_name(one.name())).collect(),
                pattern: parsed.clone().unwrap_or_default(),
            });
            let pattern = match parsed {
                Ok(pattern) => pattern,
                Err(reason) => {
                    faults.push(GraphFault::Route { route: label, reason });
                    continue;
                }
            };
            let endpoint = route.middleware.iter().rev().fold(route.endpoint, |inner, one| one.wrap(inner));
            let (first, methods) =
                by_shape.entry(pattern.shape()).or_insert_with(|| (pattern.clone(), Methods::default()));
            if *first != pattern {
                let reason = format!("it differs from `{first}` in a parameter's name alone: give both the same");
                faults.push(GraphFault::Route { route: label, reason });
            } else if !methods.add(route.method, endpoint) {
                faults.push(GraphFault::DuplicateName(format!("two routes are `{label}`")));
            }
        }
        let mut endpoint = Route::new();
        for (pattern, methods) in by_shape.into_values() {
            match endpoint.try_at(pattern.for_poem(), methods) {
                Ok(with) => endpoint = with,
                Err(error) => {
                    let reason = format!("it cannot be told from another: {error}");
                    faults.push(GraphFault::Route { route: pattern.to_string(), reason });
                    endpoint = Route::new();
                }
            }
        }
        (RouteTable::new(infos), roots, endpoint.into_endpoint().boxed(), faults)
    }
}

fn join(prefix: &str, path: &str) -> String {
    let path = path.trim_matches('/');
    let prefix = prefix.trim_end_matches('/');
    if path.is_empty() && !prefix.is_empty() { prefix.to_owned() } else { format!("{prefix}/{path}") }
}
