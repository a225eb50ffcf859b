//! The addresses of the application: a flat list, by name. And what it runs by itself.

mod api;
pub mod console;
mod web;

pub use api::routes as api;
pub use web::routes as web;
