//! What stands around the handlers: one poem middleware a file. [`Kernel`](super::Kernel) puts all but
//! [`Authenticate`] around every request.

mod authenticate;
mod body_limit;
mod catch_panic;
mod render;
mod request_id;
mod scoped;
mod secure_headers;
mod trace;

pub use authenticate::Authenticate;
pub use body_limit::BodyLimit;
pub(super) use body_limit::Limit;
pub use catch_panic::CatchPanic;
pub use render::Render;
pub use request_id::RequestId;
pub use scoped::Scoped;
pub use secure_headers::SecureHeaders;
pub use trace::Trace;
