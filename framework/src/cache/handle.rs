use std::{
    borrow::Cow,
    fmt,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    CacheError,
    family::Families,
    far::Far,
    locks::Locks,
    memory::{Found, Memory},
    shared::Shared,
    store::{LockStore, Store},
};
use crate::{config::CacheConfig, support::Clock};

/// What can be kept: anything that serde writes and reads.
pub trait CacheValue: Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<T: Serialize + DeserializeOwned + Send + Sync + 'static> CacheValue for T {}

/// A cache. A clone is the same cache.
#[derive(Clone)]
pub struct Cache {
    pub(super) shared: Arc<Shared>,
    pub(super) tags: Arc<[Box<str>]>,
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("name", &self.shared.name).field("tags", &self.tags).finish_non_exhaustive()
    }
}

impl Cache {
    /// A cache in this process, with room for about so many bytes. What was used least makes room.
    pub fn memory(name: &str, bytes: u64) -> Self {
        let families = Arc::default();
        Self::here(name, Some(Memory::new(bytes, Arc::clone(&families))), families)
    }

    /// A cache that keeps nothing. Callers that want the same at once still share one load, and locks and limits are what they
    /// are elsewhere.
    pub fn null(name: &str) -> Self {
        Self::here(name, None, Arc::default())
    }

    fn here(name: &str, near: Option<Memory>, families: Arc<Families>) -> Self {
        Self::of(Shared::new(name, near, None, families, Arc::new(Locks::default())))
    }

    /// A cache in a store outside this process, which other processes share.
    pub fn distant(name: &str, config: &CacheConfig, store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self::there(name, config, None, store, clock)
    }

    /// A cache in this process with room for [`CacheConfig::memory`], and in a store behind it. What is here is used only while
    /// the store says what others change.
    pub fn tiered(name: &str, config: &CacheConfig, store: Arc<dyn Store>, clock: Arc<dyn Clock>) -> Self {
        Self::there(name, config, Some(config.memory), store, clock)
    }

    fn there(
        name: &str,
        config: &CacheConfig,
        near: Option<u64>,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let families: Arc<Families> = Arc::default();
        let near = near.map(|bytes| Memory::new(bytes, Arc::clone(&families)));
        let locks = Arc::clone(&store) as Arc<dyn LockStore>;
        let far = Far::new(name, &config.version.0, config.format, store, clock, Arc::clone(&families));
        Self::of(Shared::new(name, near, Some(Arc::new(far)), families, locks))
    }

    fn of(shared: Shared) -> Self {
        Self { shared: Arc::new(shared), tags: Arc::default() }
    }

    /// Its name in the configuration.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// This cache, with these tags for whatever is put in through it, beside those it has. Tags are given where values are
    /// put in and where they are read, alike: a store outside this process then answers both at once.
    #[must_use]
    pub fn tags<T: AsRef<str>>(&self, tags: impl IntoIterator<Item = T>) -> Self {
        let more = tags.into_iter().map(|tag| self.local(tag.as_ref()).into());
        Self { shared: Arc::clone(&self.shared), tags: self.tags.iter().cloned().chain(more).collect() }
    }

    /// The name of a key or a tag inside this process: as it is, but where a store would have to shorten it.
    #[inline]
    pub(super) fn local<'k>(&self, name: &'k str) -> Cow<'k, str> {
        match &self.shared.far {
            Some(far) => far.local(name),
            None => Cow::Borrowed(name),
        }
    }

    /// The value under a key. One of another type counts as none, and so does all where the store fails.
    ///
    /// # Errors
    /// None at present.
    #[inline]
    pub async fn get<T: CacheValue>(&self, key: &str) -> Result<Option<Arc<T>>, CacheError> {
        Ok(self.find(key).await.any())
    }

    /// The value under a key, where this process has it and need ask nobody.
    #[inline]
    pub(crate) fn known<T: CacheValue>(&self, key: &str) -> Option<Arc<T>> {
        self.shared.near()?.get(&self.local(key)).any()
    }

    #[inline]
    pub(super) async fn find<T: CacheValue>(&self, key: &str) -> Found<T> {
        if let Some(near) = self.shared.near()
            && let found @ (Found::Fresh(_) | Found::Stale(_)) = near.get(key)
        {
            return found;
        }
        // Apart, so that a hit moves no more than it has to.
        Box::pin(self.find_far(key)).await
    }

    /// What is not in this process may be in the store.
    async fn find_far<T: CacheValue>(&self, key: &str) -> Found<T> {
        let found = self.find_many(&[key]).await.pop().unwrap_or(Found::Nothing);
        let family = self.shared.families.of(key);
        match &found {
            Found::Nothing => family.misses.fetch_add(1, Relaxed),
            Found::Fresh(_) => family.hits.fetch_add(1, Relaxed),
            Found::Stale(_) => {
                family.stale.fetch_add(1, Relaxed);
                family.hits.fetch_add(1, Relaxed)
            }
        };
        found
    }

    /// Asks the store for several keys at once, and keeps here what it has.
    async fn find_many<T: CacheValue>(&self, keys: &[&str]) -> Vec<Found<T>> {
        let nothing = || keys.iter().map(|_| Found::Nothing).collect();
        self.shared.follow();
        let Some(far) = self.shared.trusted() else { return nothing() };
        let keys: Vec<_> = keys.iter().map(|key| self.local(key)).collect();
        let keys: Vec<&str> = keys.iter().map(AsRef::as_ref).collect();
        let (flights, snapshot) = (&self.shared.flights, self.shared.snapshot(&self.tags));
        let marks: Vec<_> = keys.iter().map(|key| flights.mark(key)).collect();
        // The health of the store says so where it fails.
        let Ok(found) = far.get::<T>(&keys, &self.tags).await else { return nothing() };
        // It may have gone away, and come back, before it answered.
        if self.shared.trusted().is_none() {
            return nothing();
        }
        let found = keys.iter().zip(marks).zip(found).map(|((key, mark), distant)| {
            let Some(distant) = distant else { return Found::Nothing };
            if let Some(near) = self.shared.near().filter(|_| distant.may_be_near) {
                let (value, tags) = (Arc::clone(&distant.value), snapshot.clone());
                flights.unless_changed(key, mark, || near.fill(key, value, tags, distant.lifetime, distant.bytes));
            }
            if distant.is_stale { Found::Stale(distant.value) } else { Found::Fresh(distant.value) }
        });
        found.collect()
    }

    /// The values under several keys, in their order, by one question to a store.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn many<T: CacheValue>(&self, keys: &[&str]) -> Result<Vec<Option<Arc<T>>>, CacheError> {
        let near = |key: &&str| self.shared.near().map_or(Found::Nothing, |near| near.get(key)).any();
        let mut values: Vec<_> = keys.iter().map(near).collect();
        let missing: Vec<_> = (0..keys.len()).filter(|index| values[*index].is_none()).collect();
        let wanted: Vec<_> = missing.iter().map(|index| keys[*index]).collect();
        let found = if wanted.is_empty() { Vec::new() } else { Box::pin(self.find_many(&wanted)).await };
        for (index, found) in missing.into_iter().zip(found) {
            let (family, value) = (self.shared.families.of(keys[index]), found.any());
            let count = if value.is_some() { &family.hits } else { &family.misses };
            count.fetch_add(1, Relaxed);
            values[index] = value;
        }
        Ok(values)
    }

    /// Whether there is a value under a key.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub async fn has(&self, key: &str) -> Result<bool, CacheError> {
        if self.shared.near().is_some_and(|near| near.has(key)) {
            return Ok(true);
        }
        let Some(far) = self.shared.trusted() else { return Ok(false) };
        let kept = far.peek(&self.local(key), &self.tags).await;
        Ok(kept.ok().flatten().is_some_and(|kept| kept.is_true))
    }

    /// Takes out what is no longer true; how many that was. It happens by itself where room is needed or a key is asked for,
    /// except in a database.
    ///
    /// # Errors
    /// [`CacheError::Store`].
    pub async fn prune(&self) -> Result<u64, CacheError> {
        let here = self.shared.near.as_ref().map_or(0, Memory::prune);
        let here = u64::try_from(here).unwrap_or(u64::MAX);
        match &self.shared.far {
            Some(far) => far.ask("prune", far.store.prune()).await,
            None => Ok(here),
        }
    }
}
