use std::{fmt, future::Future, sync::Arc, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use tokio::time::Instant;

use super::{
    CacheError, FamilyStats,
    flight::Flights,
    locks::{Lock, Locks},
    memory::{Found, Lifetime, Memory},
};
use crate::{
    config::{CacheConfig, CacheStore},
    container::spawn,
};

/// How long a caller waits for somebody else's loader before it runs its own. Two loaders that wait for each other's keys
/// would never end.
const PATIENCE: Duration = Duration::from_secs(10);

/// What can be kept: anything that serde writes and reads.
pub trait CacheValue: Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> CacheValue for T {}

/// A cache. A clone is the same cache.
#[derive(Clone)]
pub struct Cache {
    shared: Arc<Shared>,
    tags: Arc<[Box<str>]>,
}

struct Shared {
    name: Box<str>,
    // Without it nothing is kept, and everything is loaded.
    memory: Option<Memory>,
    flights: Flights,
    locks: Locks,
}

/// What a cache holds and what happened to it since the process began.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CacheStats {
    /// The cache's name.
    pub name: String,
    /// How many entries there are, those included that are no longer true and not yet taken out.
    pub entries: usize,
    /// How many bytes they take, about.
    pub bytes: u64,
    /// How many bytes there is room for.
    pub capacity: u64,
    /// How many loads are under way.
    pub loading: usize,
    /// What happened, by kind of key.
    pub families: Vec<FamilyStats>,
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("name", &self.shared.name).field("tags", &self.tags).finish_non_exhaustive()
    }
}

impl Cache {
    /// The cache that the configuration describes.
    pub fn from_config(name: &str, config: &CacheConfig) -> Self {
        match config.store {
            CacheStore::Memory => Self::memory(name, config.memory),
            CacheStore::Null => Self::null(name),
        }
    }

    /// A cache in this process, with room for about so many bytes. What was used least makes room.
    pub fn memory(name: &str, bytes: u64) -> Self {
        Self::new(name, Some(Memory::new(bytes)))
    }

    /// A cache that keeps nothing. Callers that want the same at once still share one load, and locks are locks.
    pub fn null(name: &str) -> Self {
        Self::new(name, None)
    }

    fn new(name: &str, memory: Option<Memory>) -> Self {
        let shared = Shared { name: name.into(), memory, flights: Flights::default(), locks: Locks::default() };
        Self { shared: Arc::new(shared), tags: Arc::default() }
    }

    /// Its name in the configuration.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// This cache, with these tags for whatever is put in through it, beside those it has. Tags are given where values are
    /// put in and where they are read, alike.
    #[must_use]
    pub fn tags<T: AsRef<str>>(&self, tags: impl IntoIterator<Item = T>) -> Self {
        let more = tags.into_iter().map(|tag| tag.as_ref().into());
        Self { shared: Arc::clone(&self.shared), tags: self.tags.iter().cloned().chain(more).collect() }
    }

    /// The value under a key. One of another type counts as none.
    ///
    /// # Errors
    /// None that this kind of cache has.
    #[inline]
    pub async fn get<T: CacheValue>(&self, key: &str) -> Result<Option<Arc<T>>, CacheError> {
        Ok(self.find(key).any())
    }

    #[inline]
    fn find<T: CacheValue>(&self, key: &str) -> Found<T> {
        self.shared.memory.as_ref().map_or(Found::Nothing, |memory| memory.get(key))
    }

    /// The values under several keys, in their order.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn many<T: CacheValue>(&self, keys: &[&str]) -> Result<Vec<Option<Arc<T>>>, CacheError> {
        Ok(keys.iter().map(|key| self.find(key).any()).collect())
    }

    /// Whether there is a value under a key.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn has(&self, key: &str) -> Result<bool, CacheError> {
        Ok(self.shared.memory.as_ref().is_some_and(|memory| memory.has(key)))
    }

    /// Keeps a value for so long.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn put<T: CacheValue>(&self, key: &str, value: T, ttl: Duration) -> Result<(), CacheError> {
        self.keep(key, value, Some(ttl));
        Ok(())
    }

    /// Keeps a value until it is forgotten, or has to make room.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn forever<T: CacheValue>(&self, key: &str, value: T) -> Result<(), CacheError> {
        self.keep(key, value, None);
        Ok(())
    }

    fn keep<T: CacheValue>(&self, key: &str, value: T, whole: Option<Duration>) {
        let Some(memory) = &self.shared.memory else { return };
        let tags = memory.tags.snapshot(&self.tags);
        let mut stripe = self.shared.flights.stripe(key);
        stripe.cancel(key);
        memory.put(key, Arc::new(value), tags, Lifetime { whole, fresh: None });
    }

    /// Keeps a value for so long where there is none; whether it did. Of several callers at once, one does.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn add<T: CacheValue>(&self, key: &str, value: T, ttl: Duration) -> Result<bool, CacheError> {
        let Some(memory) = &self.shared.memory else { return Ok(true) };
        let tags = memory.tags.snapshot(&self.tags);
        let mut stripe = self.shared.flights.stripe(key);
        if memory.has(key) {
            return Ok(false);
        }
        stripe.cancel(key);
        memory.put(key, Arc::new(value), tags, Lifetime { whole: Some(ttl), fresh: None });
        Ok(true)
    }

    /// The value under a key, which is taken out. Of several callers at once, one gets it.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn pull<T: CacheValue>(&self, key: &str) -> Result<Option<Arc<T>>, CacheError> {
        let Some(memory) = &self.shared.memory else { return Ok(None) };
        let mut stripe = self.shared.flights.stripe(key);
        stripe.cancel(key);
        let value = memory.get(key).any();
        memory.forget(key);
        Ok(value)
    }

    /// Takes out what is under a key; whether there was anything. What is being loaded for it is not kept.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn forget(&self, key: &str) -> Result<bool, CacheError> {
        let mut stripe = self.shared.flights.stripe(key);
        stripe.cancel(key);
        Ok(self.shared.memory.as_ref().is_some_and(|memory| memory.forget(key)))
    }

    /// Takes everything out. Locks stay.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn flush(&self) -> Result<(), CacheError> {
        self.shared.flights.cancel_all();
        if let Some(memory) = &self.shared.memory {
            memory.flush();
        }
        Ok(())
    }

    /// Takes out what is no longer true; how many that was. It happens by itself where room is needed or a key is asked for.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn prune(&self) -> Result<usize, CacheError> {
        Ok(self.shared.memory.as_ref().map_or(0, Memory::prune))
    }

    /// Lets no entry with one of these tags be found any more, nor any that is being loaded. It takes as long for a million
    /// entries as for one.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn invalidate<T: AsRef<str>>(&self, tags: impl IntoIterator<Item = T>) -> Result<(), CacheError> {
        if let Some(memory) = &self.shared.memory {
            let tags: Vec<_> = tags.into_iter().collect();
            memory.tags.invalidate(tags.iter().map(AsRef::as_ref));
        }
        Ok(())
    }

    /// Lets the value under a key be kept for so long from now, whole and fresh; whether there is one.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn touch(&self, key: &str, ttl: Duration) -> Result<bool, CacheError> {
        let Some(memory) = &self.shared.memory else { return Ok(false) };
        let _stripe = self.shared.flights.stripe(key);
        Ok(memory.touch(key, Some(ttl)))
    }

    /// Adds to the number under a key, from 0 where there is none, and returns the sum. It stays for as long as it would
    /// have; a new one stays until it is forgotten.
    ///
    /// # Errors
    /// [`CacheError::NotANumber`], [`CacheError::Overflow`].
    pub async fn increment(&self, key: &str, by: i64) -> Result<i64, CacheError> {
        let Some(memory) = &self.shared.memory else { return Ok(by) };
        let tags = memory.tags.snapshot(&self.tags);
        let mut stripe = self.shared.flights.stripe(key);
        stripe.cancel(key);
        memory.increment(key, by, tags)
    }

    /// The value under a key; where there is none, the one that the loader returns, which is kept for so long. Of callers
    /// that want the same at once, one runs its loader.
    ///
    /// # Errors
    /// The loader's, for all who waited for it. It is not kept.
    pub async fn remember<T, E, F, L>(&self, key: &str, ttl: Duration, load: L) -> Result<Arc<T>, E>
    where
        T: CacheValue,
        E: Clone + Send + Sync + 'static,
        F: Future<Output = Result<T, E>>,
        L: FnOnce() -> F,
    {
        match self.find(key).any() {
            Some(value) => Ok(value),
            None => self.load(key, Lifetime { whole: Some(ttl), fresh: None }, load).await,
        }
    }

    /// [`remember`](Self::remember), until it is forgotten or has to make room.
    ///
    /// # Errors
    /// As [`remember`](Self::remember).
    pub async fn remember_forever<T, E, F, L>(&self, key: &str, load: L) -> Result<Arc<T>, E>
    where
        T: CacheValue,
        E: Clone + Send + Sync + 'static,
        F: Future<Output = Result<T, E>>,
        L: FnOnce() -> F,
    {
        match self.find(key).any() {
            Some(value) => Ok(value),
            None => self.load(key, Lifetime::default(), load).await,
        }
    }

    /// [`remember`](Self::remember) for who would rather have an old value than wait: a value is loaded anew once it is
    /// older than `fresh`, and until then, up to the age of `stale`, callers get the old one. Where the loader fails, they go
    /// on to, and the failure is logged.
    ///
    /// # Errors
    /// The loader's, where there was no value at all.
    pub async fn flexible<T, E, F, L>(&self, key: &str, fresh: Duration, stale: Duration, load: L) -> Result<Arc<T>, E>
    where
        T: CacheValue,
        E: Clone + fmt::Display + Send + Sync + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
        L: FnOnce() -> F + Send + 'static,
    {
        let lifetime = Lifetime { fresh: Some(fresh), whole: Some(stale.max(fresh)) };
        match self.find(key) {
            Found::Fresh(value) => Ok(value),
            Found::Nothing => self.load(key, lifetime, load).await,
            Found::Stale(value) => {
                if !self.shared.flights.is_under_way(key) {
                    let (cache, key) = (self.clone(), key.to_owned());
                    spawn(async move {
                        if let Err(error) = cache.load::<T, E, F, L>(&key, lifetime, load).await {
                            tracing::warn!(key, %error, "a cached value could not be loaded anew, and gets older");
                        }
                    });
                }
                Ok(value)
            }
        }
    }

    /// Loads a value, or waits for whoever does.
    async fn load<T, E, F, L>(&self, key: &str, lifetime: Lifetime, load: L) -> Result<Arc<T>, E>
    where
        T: CacheValue,
        E: Clone + Send + Sync + 'static,
        F: Future<Output = Result<T, E>>,
        L: FnOnce() -> F,
    {
        let Shared { memory, flights, .. } = &*self.shared;
        let tags = || memory.as_ref().map(|memory| memory.tags.snapshot(&self.tags)).unwrap_or_default();
        let seat = flights.board(key, tags);
        let Ok(_turn) = tokio::time::timeout(PATIENCE, seat.flight.turn.lock()).await else {
            return load().await.map(Arc::new);
        };
        match seat.flight.outcome.get() {
            Some(Ok(value)) => {
                if let Ok(value) = Arc::clone(value).downcast() {
                    return Ok(value);
                }
            }
            Some(Err(error)) => {
                if let Some(error) = error.downcast_ref::<E>() {
                    return Err(error.clone());
                }
            }
            None => {
                let started = Instant::now();
                let loaded = load().await;
                if let Some(memory) = memory {
                    memory.families.of(key).loaded(started.elapsed());
                }
                // Whoever waits finds the outcome once the turn is given back, whichever way the flight lands.
                return match loaded {
                    Ok(value) => {
                        let value = Arc::new(value);
                        let kept = Arc::clone(&value);
                        seat.land(|| {
                            if let Some(memory) = memory {
                                memory.put(key, kept, seat.flight.tags.clone(), lifetime);
                            }
                        });
                        let _ = seat.flight.outcome.set(Ok(Arc::clone(&value) as _));
                        Ok(value)
                    }
                    Err(error) => {
                        seat.land(|| {});
                        let _ = seat.flight.outcome.set(Err(Box::new(error.clone())));
                        Err(error)
                    }
                };
            }
        }
        // Who loaded wanted another type under the same key.
        load().await.map(Arc::new)
    }

    /// The lock of this name, not yet taken, which falls open `lease` after it was.
    pub fn lock(&self, name: &str, lease: Duration) -> Lock {
        Lock::new(self.shared_locks(), name, lease)
    }

    fn shared_locks(&self) -> Locks {
        self.shared.locks.clone()
    }

    /// What it holds and what happened to it.
    pub fn stats(&self) -> CacheStats {
        let memory = self.shared.memory.as_ref();
        CacheStats {
            name: self.name().to_owned(),
            entries: memory.map_or(0, Memory::len),
            bytes: memory.map_or(0, Memory::weight),
            capacity: memory.map_or(0, Memory::capacity),
            loading: self.shared.flights.count(),
            families: memory.map(|memory| memory.families.stats()).unwrap_or_default(),
        }
    }
}
