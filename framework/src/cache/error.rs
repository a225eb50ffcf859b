use std::time::Duration;

use crate::container::ContainerError;

/// The cache could not do what was asked. What a cache is asked for often can be had elsewhere: [`remember`] does not fail
/// for its sake.
///
/// [`remember`]: super::Cache::remember
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum CacheError {
    /// There is no application whose cache it could be.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// What is kept under the key is no number, and so cannot be counted up.
    #[error("`{key}` holds no number in the cache: `increment` is for keys that nothing else is put under")]
    NotANumber {
        /// The key.
        key: String,
    },
    /// The number under the key would not fit into 64 bits.
    #[error("`{key}` cannot be counted further in the cache: it would not fit into 64 bits")]
    Overflow {
        /// The key.
        key: String,
    },
    /// Somebody else has the lock, and kept it.
    #[error("the lock `{name}` did not become free within {waited:?}")]
    Locked {
        /// The lock's name.
        name: String,
        /// How long was waited.
        waited: Duration,
    },
}
