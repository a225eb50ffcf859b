use std::time::Duration;

use crate::{
    config::{AppConfig, DatabaseConfig, Environment},
    container::Container,
};

/// How closely queries are watched. What an application does follows from its configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchPolicy {
    /// Whether each query's SQL is looked at, which costs as much as making it does; else queries are only counted and
    /// timed.
    pub watching: bool,
    /// From how long on a query is logged as slow; `None` for never.
    pub slow: Option<Duration>,
    /// How often the same query may not run in one request.
    pub repeats: usize,
}

impl WatchPolicy {
    /// What the configuration says: queries are watched by `DB_WATCH`, and where that is not set, outside production.
    pub fn new(app: &AppConfig, database: &DatabaseConfig) -> Self {
        Self {
            watching: database.watch.unwrap_or(app.env != Environment::Production),
            slow: Some(database.slow_query),
            repeats: database.n_plus_one,
        }
    }

    /// The policy of an application; without its configuration, queries are only counted and timed.
    pub(super) fn of(container: &Container) -> Self {
        match (container.make::<AppConfig>(), container.make::<DatabaseConfig>()) {
            (Ok(app), Ok(database)) => Self::new(&app, &database),
            _ => Self::default(),
        }
    }
}

impl Default for WatchPolicy {
    /// Queries are counted and timed, and nothing is logged.
    fn default() -> Self {
        Self { watching: false, slow: None, repeats: usize::MAX }
    }
}
