//! What the application does, behind traits; each has a facade.

mod auth;
mod guard;
mod roles;
mod users;

pub use auth::{AppAuth, Auth, AuthService, Login, LoginError};
pub use guard::AppTokenGuard;
pub use roles::{AppRoles, NewRole, RoleChange, RoleError, RoleService, Roles};
pub use users::{AppUsers, NewUser, UserChange, UserError, UserService, Users};

/// The names in their order, without those that are there twice.
fn each_once(mut names: Vec<String>) -> Vec<String> {
    names.sort_unstable();
    names.dedup();
    names
}
