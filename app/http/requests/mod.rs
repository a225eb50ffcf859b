//! What clients send: each struct is read, checked and nothing else.

mod auth;
mod list;
mod roles;
mod users;

pub use auth::LogIn;
pub use list::{ListRoles, ListUsers, MOST_ROWS, ROWS};
pub use roles::{CreateRole, UpdateRole};
pub use users::{AssignRoles, CreateUser, UpdateUser};

/// A rule: more than white space.
fn not_blank(text: &str, _context: &()) -> garde::Result {
    if text.trim().is_empty() { Err(garde::Error::new("must not be blank")) } else { Ok(()) }
}
