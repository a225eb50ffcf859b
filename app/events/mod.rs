//! What happens in the application.

mod role_assigned;
mod user_deleted;
mod user_registered;
mod user_updated;

pub use role_assigned::RoleAssigned;
pub use user_deleted::UserDeleted;
pub use user_registered::UserRegistered;
pub use user_updated::{UserField, UserUpdated};
