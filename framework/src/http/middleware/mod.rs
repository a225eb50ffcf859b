//! What stands around the handlers: one poem middleware a file. [`Kernel`](super::Kernel) puts all but
//! [`Authenticate`], [`CacheResponse`] and [`ConditionalGet`], which are for routes, around every request;
//! [`RepeatedQueries`] only where queries are watched, and [`ServerTiming`] only where the application is local.

mod authenticate;
mod body_limit;
mod cache_response;
mod catch_panic;
mod conditional_get;
mod etag;
mod render;
mod repeated_queries;
mod request_id;
mod scoped;
mod secure_headers;
mod server_timing;
mod trace;
mod whole_body;

pub use authenticate::Authenticate;
pub use body_limit::BodyLimit;
pub(super) use body_limit::Limit;
pub use cache_response::CacheResponse;
pub use catch_panic::CatchPanic;
pub use conditional_get::ConditionalGet;
pub use render::Render;
pub use repeated_queries::RepeatedQueries;
pub use request_id::RequestId;
pub use scoped::Scoped;
pub use secure_headers::SecureHeaders;
pub use server_timing::ServerTiming;
pub use trace::Trace;
