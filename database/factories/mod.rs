//! How rows are made up, for tests and demonstrations.

mod roles;
mod users;

pub use roles::{RoleFactory, UserRole, UserRoleFactory};
pub use users::UserFactory;
