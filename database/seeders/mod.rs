//! What a new database is filled with, and what there is to look at.

mod admin;
mod demo;
mod roles;

pub use admin::AdminSeeder;
pub use demo::DemoSeeder;
pub use roles::RoleSeeder;
