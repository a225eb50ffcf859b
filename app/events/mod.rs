//! What happens in the application.

mod user_registered;

pub use user_registered::UserRegistered;
