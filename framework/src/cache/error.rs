use std::{sync::Arc, time::Duration};

use super::StoreError;
use crate::container::ContainerError;

/// The cache could not do what was asked. What a cache is asked for often can be had elsewhere: [`get`] finds nothing and
/// [`remember`] loads where the store fails. Whatever would be wrong without an answer (locks, limits, counts, [`add`],
/// [`pull`]) is this error then.
///
/// [`get`]: super::Cache::get
/// [`remember`]: super::Cache::remember
/// [`add`]: super::Cache::add
/// [`pull`]: super::Cache::pull
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
    /// The store failed.
    #[error("the cache `{cache}` could not {operation}: {source}")]
    Store {
        /// The cache's name.
        cache: String,
        /// What it was to do.
        operation: &'static str,
        /// Why it could not.
        source: Arc<StoreError>,
    },
    /// The value cannot be written as bytes, as a store outside this process wants it.
    #[error("what is put under `{key}` in the cache cannot be written as {format}: {reason}")]
    NotWritable {
        /// The key.
        key: String,
        /// The format.
        format: &'static str,
        /// What serde says.
        reason: String,
    },
    /// No cache has this name.
    #[error("there is no cache `{name}`; there are: {known}. CACHE_STORES names further ones")]
    Unknown {
        /// The name.
        name: String,
        /// Those that there are.
        known: String,
    },
}
