//! What a new database is filled with.

mod admin;
mod roles;

pub use admin::AdminSeeder;
pub use roles::RoleSeeder;
