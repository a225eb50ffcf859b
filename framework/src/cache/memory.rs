use std::{
    any::Any,
    io,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

use quick_cache::{DefaultHashBuilder, Lifecycle, Weighter, sync::Cache as Map};
use serde::Serialize;
use tokio::time::Instant;

use super::{
    CacheError,
    family::{Families, Family},
    tags::Snapshot,
};

/// What an entry takes beside its key and its value: the map's slot, its counts and its tags.
const OVERHEAD: u64 = 160;

/// An entry this long is one of the average: from it follows how many slots the map begins with.
const AVERAGE: u64 = 1024;

/// How long what is kept is true.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Lifetime {
    /// After it, a value is given out while it is loaded anew.
    pub(super) fresh: Option<Duration>,
    /// After it, there is none; never where not given.
    pub(super) whole: Option<Duration>,
}

/// What is kept under a key.
#[derive(Clone)]
pub(super) struct Entry {
    value: Arc<dyn Any + Send + Sync>,
    tags: Snapshot,
    fresh: Option<Instant>,
    until: Option<Instant>,
    weight: u64,
    family: Arc<Family>,
}

/// What was found under a key.
pub(super) enum Found<T> {
    Fresh(Arc<T>),
    Stale(Arc<T>),
    Nothing,
}

impl<T> Found<T> {
    pub(super) fn any(self) -> Option<Arc<T>> {
        match self {
            Self::Fresh(value) | Self::Stale(value) => Some(value),
            Self::Nothing => None,
        }
    }
}

#[derive(Clone)]
struct Weight;

impl Weighter<Box<str>, Arc<Entry>> for Weight {
    fn weight(&self, _: &Box<str>, entry: &Arc<Entry>) -> u64 {
        entry.weight
    }
}

#[derive(Clone)]
struct Evicted;

impl Lifecycle<Box<str>, Arc<Entry>> for Evicted {
    // What goes is dropped once the map is free again: a value's destructor may do anything.
    type RequestState = Vec<Arc<Entry>>;

    fn on_evict(&self, gone: &mut Self::RequestState, _: Box<str>, entry: Arc<Entry>) {
        entry.family.evictions.fetch_add(1, Relaxed);
        gone.push(entry);
    }
}

/// The entries of this process, as many as there is room for.
pub(super) struct Memory {
    entries: Map<Box<str>, Arc<Entry>, Weight, DefaultHashBuilder, Evicted>,
    families: Arc<Families>,
}

impl Memory {
    /// Room for about so many bytes. What happens to the keys is counted by `families`, misses excepted: the value may be
    /// found elsewhere.
    pub(super) fn new(bytes: u64, families: Arc<Families>) -> Self {
        let items = usize::try_from(bytes / AVERAGE).unwrap_or(usize::MAX).clamp(16, 1 << 20);
        Self { entries: Map::with(items, bytes, Weight, DefaultHashBuilder::default(), Evicted), families }
    }

    /// The value under a key, where it is of this type and still true.
    #[inline]
    pub(super) fn get<T: Send + Sync + 'static>(&self, key: &str) -> Found<T> {
        match self.entries.get(key) {
            Some(entry) => self.found(key, &entry),
            None => Found::Nothing,
        }
    }

    #[inline]
    fn found<T: Send + Sync + 'static>(&self, key: &str, entry: &Arc<Entry>) -> Found<T> {
        let family = &entry.family;
        // Where no time limits it, the clock need not be asked.
        let now = entry.until.map(|_| Instant::now());
        if !entry.tags.is_current() || entry.until.zip(now).is_some_and(|(until, now)| until <= now) {
            self.entries.remove_if(key, |there| Arc::ptr_eq(there, entry));
            return Found::Nothing;
        }
        let Ok(value) = Arc::clone(&entry.value).downcast() else {
            if family.undecodable.fetch_add(1, Relaxed) == 0 {
                let wanted = std::any::type_name::<T>();
                tracing::warn!(key, wanted, "a cached value is of another type; such values are taken for absent");
            }
            return Found::Nothing;
        };
        family.hits.fetch_add(1, Relaxed);
        if entry.fresh.zip(now).is_some_and(|(fresh, now)| fresh <= now) {
            family.stale.fetch_add(1, Relaxed);
            return Found::Stale(value);
        }
        Found::Fresh(value)
    }

    /// [`get`](Self::get) without counting the look.
    pub(super) fn look<T: Send + Sync + 'static>(&self, key: &str) -> Found<T> {
        let Some(entry) = self.entries.peek(key).filter(|entry| entry.is_true()) else { return Found::Nothing };
        let is_stale = entry.fresh.is_some_and(|fresh| fresh <= Instant::now());
        match Arc::clone(&entry.value).downcast() {
            Ok(value) if is_stale => Found::Stale(value),
            Ok(value) => Found::Fresh(value),
            Err(_) => Found::Nothing,
        }
    }

    /// Whether there is a value of any type under a key, without counting the look.
    pub(super) fn has(&self, key: &str) -> bool {
        self.entries.peek(key).is_some_and(|entry| entry.is_true())
    }

    pub(super) fn put<T>(&self, key: &str, value: Arc<T>, tags: Snapshot, lifetime: Lifetime)
    where
        T: Serialize + Send + Sync + 'static,
    {
        let (family, bytes) = (self.families.of(key), length(&*value));
        family.puts.fetch_add(1, Relaxed);
        family.bytes.fetch_add(bytes, Relaxed);
        self.fill(key, value, tags, lifetime, bytes);
    }

    /// [`put`](Self::put) for a value of so many bytes that was found elsewhere.
    pub(super) fn fill<T>(&self, key: &str, value: Arc<T>, tags: Snapshot, lifetime: Lifetime, bytes: u64)
    where
        T: Send + Sync + 'static,
    {
        let now = Instant::now();
        let entry = Entry {
            value,
            tags,
            fresh: lifetime.fresh.and_then(|fresh| now.checked_add(fresh)),
            until: lifetime.whole.and_then(|whole| now.checked_add(whole)),
            weight: bytes + u64::try_from(key.len()).unwrap_or(u64::MAX) + OVERHEAD,
            family: self.families.of(key),
        };
        self.entries.insert(key.into(), Arc::new(entry));
    }

    /// Adds to the number under a key; a new one is true for `lifetime`. Also for how long it is true. The caller holds the
    /// key's stripe.
    pub(super) fn increment(
        &self,
        key: &str,
        by: i64,
        tags: Snapshot,
        lifetime: Lifetime,
    ) -> Result<(i64, Option<Duration>), CacheError> {
        let Some(entry) = self.entries.peek(key).filter(|entry| entry.is_true()) else {
            self.put(key, Arc::new(by), tags, lifetime);
            return Ok((by, lifetime.whole));
        };
        let number = entry.value.downcast_ref::<i64>().ok_or_else(|| CacheError::NotANumber { key: key.to_owned() })?;
        let sum = number.checked_add(by).ok_or_else(|| CacheError::Overflow { key: key.to_owned() })?;
        let expires_in = entry.until.map(|until| until.saturating_duration_since(Instant::now()));
        self.entries.insert(key.into(), Arc::new(Entry { value: Arc::new(sum), ..Entry::clone(&entry) }));
        Ok((sum, expires_in))
    }

    /// Lets what is under a key be true for so long from now; whether there is anything.
    pub(super) fn touch(&self, key: &str, whole: Option<Duration>) -> bool {
        let Some(entry) = self.entries.peek(key).filter(|entry| entry.is_true()) else { return false };
        let until = whole.and_then(|whole| Instant::now().checked_add(whole));
        let touched = Entry { until, fresh: None, ..Entry::clone(&entry) };
        self.entries.insert(key.into(), Arc::new(touched));
        true
    }

    /// Takes out what is under a key; whether there was anything.
    pub(super) fn forget(&self, key: &str) -> bool {
        self.entries.remove(key).is_some_and(|(_, entry)| entry.is_true())
    }

    pub(super) fn flush(&self) {
        self.entries.clear();
    }

    /// Takes out what is no longer true; how many that was.
    pub(super) fn prune(&self) -> usize {
        let before = self.entries.len();
        self.entries.retain(|_, entry| entry.is_true());
        before.saturating_sub(self.entries.len())
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn weight(&self) -> u64 {
        self.entries.weight()
    }

    pub(super) fn capacity(&self) -> u64 {
        self.entries.capacity()
    }
}

impl Entry {
    fn is_true(&self) -> bool {
        self.tags.is_current() && self.until.is_none_or(|until| until > Instant::now())
    }
}

/// How many bytes a value takes as JSON: what it takes in memory cannot be had, and this grows as that does. What cannot be
/// written as JSON counts as an average entry.
fn length(value: &impl Serialize) -> u64 {
    #[derive(Default)]
    struct Count(u64);

    impl io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    let mut count = Count::default();
    match serde_json::to_writer(&mut count, value) {
        Ok(()) => count.0,
        Err(_) => AVERAGE,
    }
}
