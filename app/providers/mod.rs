//! What the application's services are made of.

mod repositories;
mod services;

pub use repositories::RepositoryProvider;
pub use services::ServiceProvider;
