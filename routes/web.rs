//! Pages.

use paravel::http::Router;

use crate::http::controllers::welcome;

/// Adds the pages.
pub fn routes(routes: &mut Router) {
    routes.get("/", welcome::index).name("welcome");
}
