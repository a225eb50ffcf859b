//! The web server: routes, extractors, problems, and the kernel that every request passes.
//!
//! ```
//! use paravel::http::{Json, Path, Result, Router, endpoint};
//!
//! /// Greets somebody.
//! #[endpoint]
//! async fn greet(Path(name): Path<String>) -> Result<Json<String>> {
//!     Ok(Json(format!("Good day, {name}")))
//! }
//!
//! fn routes(routes: &mut Router) {
//!     routes.prefix("/api").group(|routes| {
//!         routes.get("/greetings/{name}", greet).name("greetings.show");
//!     });
//! }
//! ```

mod commands;
mod extract;
mod group;
mod handler;
mod health;
mod hints;
mod idle;
mod kernel;
mod listing;
mod methods;
mod middleware;
mod pattern;
mod problem;
mod resource;
mod respond;
mod route_table;
mod router;
mod server;

pub use extract::{Can, Json, Path, Query, Valid, Validated};
pub use group::Group;
pub use handler::{Describe, Handler, IntoHandler, Operation};
#[doc(hidden)]
pub use handler::{DescribeExtractor, DescribeOther, Probe};
pub(crate) use health::up;
pub use hints::{Hint, Hints};
pub use kernel::Kernel;
pub use listing::{Links, Listing, Meta};
pub use middleware::{
    Authenticate, BodyLimit, CacheResponse, CatchPanic, ConditionalGet, Render, RepeatedQueries, RequestId, Scoped,
    SecureHeaders, ServerTiming, Trace,
};
pub use paravel_macros::endpoint;
pub use poem::http::StatusCode;
pub use problem::{FieldError, Problem};
pub use resource::Resource;
pub use respond::{Created, NoContent, NoStore};
pub use route_table::{RouteInfo, RouteTable, UrlError};
pub use router::{RouteMiddleware, RouteRef, Router};
pub use server::{BindError, bind, serve};

/// What a handler returns: its response, or the [`Problem`] that is sent instead.
pub type Result<T> = std::result::Result<T, Problem>;
