//! What is done when something happens.

mod log_welcome;

pub use log_welcome::log_welcome;
