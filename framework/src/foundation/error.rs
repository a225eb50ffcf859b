use crate::{
    auth::HashError,
    cache::MissingStore,
    config::ConfigError,
    container::{ContainerError, GraphFaults},
    database::{DbError, MigrationError},
    queue::MissingDriver,
    support::{BoxError, EnvError, EnvFaults, short_name},
};

/// The application could not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The environment could not be read.
    #[error(transparent)]
    Env(#[from] EnvError),
    /// Variables are wrong or missing.
    #[error(transparent)]
    Configuration(#[from] EnvFaults),
    /// A config struct is missing, or there twice.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The hasher's parameters are wrong.
    #[error(transparent)]
    Hash(#[from] HashError),
    /// A cache is to be kept where the application keeps nothing.
    #[error(transparent)]
    Cache(#[from] MissingStore),
    /// Jobs are to wait where the application keeps nothing.
    #[error(transparent)]
    Queue(#[from] MissingDriver),
    /// The container's graph has faults.
    #[error(transparent)]
    Graph(#[from] GraphFaults),
    /// The database could not be opened.
    #[error(transparent)]
    Database(#[from] DbError),
    /// A service could not be made.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// The migrations could not be applied.
    #[error("the migrations could not be applied: {0}")]
    Migration(#[source] MigrationError),
    /// A test has no folder of its own.
    #[cfg(feature = "testing")]
    #[error("the test's folder could not be made: {0}")]
    TestFolder(#[source] std::io::Error),
    /// A test has no database of its own.
    #[cfg(feature = "testing")]
    #[error("the test's database could not be made: {0}")]
    TestDatabase(#[source] BoxError),
    /// A provider could not boot.
    #[error("the provider {} could not boot: {source}", short_name(provider))]
    Provider {
        /// Its type.
        provider: &'static str,
        /// What it returned.
        source: BoxError,
    },
}
