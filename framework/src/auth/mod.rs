//! Passwords, tokens, who acts, and what they may do. Tables and queries are the application's.

mod actor;
mod argon;
mod gate;
mod hasher;
mod password;
mod token;

pub use actor::{Actor, TokenGuard};
pub use argon::Argon2Hasher;
pub use gate::{AuthError, Gate};
pub use hasher::{HashError, Hasher};
pub use password::acceptable_password;
pub use token::{Token, TokenHash};
