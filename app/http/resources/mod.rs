//! What clients are sent. A column is in here or it is not sent.

mod login;
mod role;
mod user;

use paravel::serde::Serialize;

pub use login::LoginResource;
pub use role::RoleResource;
pub use user::UserResource;

/// One resource: `{"data": ..}`, as a list's are.
#[derive(Debug, Serialize)]
pub struct One<T> {
    /// The resource.
    pub data: T,
}

impl<T> One<T> {
    /// The resource that something is sent as.
    pub fn of(source: impl Into<T>) -> Self {
        Self { data: source.into() }
    }
}
