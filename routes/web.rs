//! Pages.

use std::time::Duration;

use paravel::http::{CacheResponse, Router};

use crate::http::controllers::welcome;

/// Adds the pages.
pub fn routes(routes: &mut Router) {
    // The same for everybody.
    let minute = Duration::from_secs(60);
    routes.get("/", welcome::index).name("welcome").middleware(CacheResponse::with_ttl(minute));
}
