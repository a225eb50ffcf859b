//! What is done when something happens.

mod audit_registration;
mod log_welcome;
mod send_welcome;
mod warm_user;

pub use audit_registration::audit_registration;
pub use log_welcome::log_welcome;
pub use send_welcome::send_welcome;
pub use warm_user::{warm_user, warm_user_with_roles};
