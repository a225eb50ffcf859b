//! The addresses of the application: a flat list, by name.

mod api;
mod web;

pub use api::routes as api;
pub use web::routes as web;
