//! What stands around the handlers: one poem middleware a file. [`Kernel`](super::Kernel) puts all but
//! [`Authenticate`] around every request; [`RepeatedQueries`] only where queries are watched, and [`ServerTiming`] only
//! where the application is local.

mod authenticate;
mod body_limit;
mod catch_panic;
mod render;
mod repeated_queries;
mod request_id;
mod scoped;
mod secure_headers;
mod server_timing;
mod trace;

pub use authenticate::Authenticate;
pub use body_limit::BodyLimit;
pub(super) use body_limit::Limit;
pub use catch_panic::CatchPanic;
pub use render::Render;
pub use repeated_queries::RepeatedQueries;
pub use request_id::RequestId;
pub use scoped::Scoped;
pub use secure_headers::SecureHeaders;
pub use server_timing::ServerTiming;
pub use trace::Trace;
