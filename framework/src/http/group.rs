use std::sync::Arc;

use super::{RouteMiddleware, Router};

/// A group of routes being described; [`group`](Self::group) adds them.
#[must_use = "a group is added by `group`"]
pub struct Group<'a> {
    router: &'a mut Router,
    prefix: String,
    name: String,
    middleware: Vec<Arc<dyn RouteMiddleware>>,
}

impl<'a> Group<'a> {
    pub(super) fn new(router: &'a mut Router) -> Self {
        Self { router, prefix: String::new(), name: String::new(), middleware: Vec::new() }
    }

    /// Begins the paths with `prefix`.
    pub fn prefix(mut self, prefix: &str) -> Self {
        self.prefix = prefix.to_owned();
        self
    }

    /// Begins the names with `name`.
    pub fn name(mut self, name: &str) -> Self {
        self.name = name.to_owned();
        self
    }

    /// Puts a middleware around each route, inside those named before it.
    pub fn middleware(mut self, middleware: impl RouteMiddleware + 'static) -> Self {
        self.middleware.push(Arc::new(middleware));
        self
    }

    /// Adds the group's routes.
    pub fn group(self, routes: impl FnOnce(&mut Router)) {
        self.router.within(&self.prefix, &self.name, self.middleware, routes);
    }
}
