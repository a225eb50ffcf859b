use std::{collections::BTreeMap, fmt, sync::Arc};

use super::{Cache, CacheError, Store};
use crate::{
    config::{CacheConfig, CacheStore},
    support::Clock,
};

/// The name of the cache that is meant where none is named.
const DEFAULT: &str = "default";

/// All caches of an application: `default`, and those that `CACHE_STORES` names.
///
/// ```
/// use std::sync::Arc;
/// use paravel::{cache::{Caches, Stores}, config::CacheConfig, support::{Env, SystemClock}};
///
/// let env = Env::from_pairs([("CACHE_STORES", "sessions=memory,pages=null")]);
/// let config = CacheConfig::from_env(&env);
/// let caches = Caches::from_config(&config, &Stores::default(), &(Arc::new(SystemClock) as _))?;
/// assert_eq!(caches.named("sessions")?.name(), "sessions");
/// assert!(caches.named("orders").is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Caches {
    default: (CacheStore, Cache),
    named: BTreeMap<String, (CacheStore, Cache)>,
}

/// The stores outside this process that an application has.
#[derive(Default, Clone)]
pub struct Stores {
    /// Redis.
    pub redis: Option<Arc<dyn Store>>,
    /// The application's database.
    pub database: Option<Arc<dyn Store>>,
}

/// A cache is to be kept where this application keeps nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the cache `{cache}` is to be kept in `{store}` ({variable}), which this application has not: {remedy}")]
pub struct MissingStore {
    cache: String,
    store: &'static str,
    variable: &'static str,
    remedy: &'static str,
}

impl fmt::Debug for Caches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.all().map(Cache::name)).finish()
    }
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { redis, database } = self;
        f.debug_struct("Stores").field("redis", &redis.is_some()).field("database", &database.is_some()).finish()
    }
}

impl Caches {
    /// The caches that the configuration describes.
    ///
    /// # Errors
    /// [`MissingStore`].
    pub fn from_config(config: &CacheConfig, stores: &Stores, clock: &Arc<dyn Clock>) -> Result<Self, MissingStore> {
        let make = |name: &str, store: CacheStore, variable| {
            let far = |from: &Option<Arc<dyn Store>>, remedy| {
                let missing = || MissingStore { cache: name.to_owned(), store: store.as_str(), variable, remedy };
                from.clone().ok_or_else(missing)
            };
            let redis = || far(&stores.redis, "build it with the feature `redis` of `paravel`");
            let database = || far(&stores.database, "give the ApplicationBuilder its database");
            let clock = Arc::clone(clock);
            let cache = match store {
                CacheStore::Memory => Cache::memory(name, config.memory),
                CacheStore::Null => Cache::null(name),
                CacheStore::Redis => Cache::distant(name, config, redis()?, clock),
                CacheStore::Tiered => Cache::tiered(name, config, redis()?, clock),
                CacheStore::Database => Cache::distant(name, config, database()?, clock),
            };
            Ok((store, cache))
        };
        let named = config.stores.0.iter().map(|(name, store)| Ok((name.clone(), make(name, *store, "CACHE_STORES")?)));
        Ok(Self { default: make(DEFAULT, config.store, "CACHE_STORE")?, named: named.collect::<Result<_, _>>()? })
    }

    /// The cache of this name.
    ///
    /// # Errors
    /// [`CacheError::Unknown`].
    pub fn named(&self, name: &str) -> Result<&Cache, CacheError> {
        let unknown = || {
            let known: Vec<_> = self.all().map(Cache::name).collect();
            CacheError::Unknown { name: name.to_owned(), known: known.join(", ") }
        };
        match name {
            DEFAULT => Ok(&self.default.1),
            _ => self.named.get(name).map(|(_, cache)| cache).ok_or_else(unknown),
        }
    }

    /// Where the cache of this name keeps its values.
    pub fn store_of(&self, name: &str) -> Option<CacheStore> {
        match name {
            DEFAULT => Some(self.default.0),
            _ => self.named.get(name).map(|(store, _)| *store),
        }
    }

    /// The cache that is meant where none is named.
    pub fn default_cache(&self) -> &Cache {
        &self.default.1
    }

    /// All of them: the default one, and then by name.
    pub fn all(&self) -> impl Iterator<Item = &Cache> {
        std::iter::once(&self.default).chain(self.named.values()).map(|(_, cache)| cache)
    }
}
