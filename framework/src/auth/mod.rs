//! Passwords, tokens, who acts, and what they may do. Tables and queries are the application's.

mod actor;
mod argon;
mod gate;
mod hasher;
mod password;
mod permission;
mod token;

pub use actor::{Actor, TokenGuard};
pub use argon::Argon2Hasher;
pub use gate::{AuthError, Gate};
pub use hasher::{HashError, Hasher};
pub use password::acceptable_password;
pub use permission::Permission;
pub use token::{Token, TokenHash};
