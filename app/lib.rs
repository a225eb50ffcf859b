//! The application: users and roles behind a JSON API, with a console.
//!
//! [`application`] is what every binary and every test starts from.

pub mod console;
pub mod events;
pub mod http;
pub mod listeners;
pub mod mail;
pub mod models;
pub mod providers;
pub mod repositories;
pub mod services;
mod warmers;

#[path = "../config/mod.rs"]
pub mod config;
#[path = "../database/mod.rs"]
pub mod database;
#[path = "../routes/mod.rs"]
pub mod routes;

use paravel::foundation::{Application, ApplicationBuilder};

/// What the application is made of.
pub fn application() -> ApplicationBuilder {
    Application::builder()
        .config(config::load)
        .database::<database::Conn>(database::MIGRATIONS)
        .seeders(database::seeders())
        .provider(providers::RepositoryProvider)
        .provider(providers::ServiceProvider)
        .routes(routes::web)
        .routes(routes::api)
        .schedule(routes::console::schedule)
        .hint("see that it is up", "curl {url}/up")
        .hint(
            "register; the answer has your token",
            "curl {url}/api/v1/auth/register -H 'Content-Type: application/json' \\\n    \
             -d '{\"name\": \"Ada\", \"email\": \"ada@example.com\", \"password\": \"correct horse\"}'",
        )
        .hint("ask who you are", "curl {url}/api/v1/me -H 'Authorization: Bearer TOKEN'")
}
