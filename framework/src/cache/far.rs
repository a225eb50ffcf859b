use std::{
    borrow::Cow,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{
    CacheError, CacheValue,
    family::Families,
    health::Health,
    memory::Lifetime,
    owed::Owed,
    store::{Begin, Begun, LONGEST_KEY, Put, Store, StoreError, Version, When},
    wire::{Ends, Stored, Wire},
};
use crate::support::{Clock, Timestamp, WireFormat};

/// How long whoever loads a value has the right to, at first; it is lengthened while they do. As long others wait where the
/// process that loads is killed.
pub(super) const LEASE: Duration = Duration::from_secs(5);

/// For how long what has tags is kept at most in a store that nothing else makes room in: what is invalidated stays until its time
/// is over, and so do the versions of its tags.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);

/// How many digits of a hash take the place of a long key's end: none are alike by chance.
const DIGITS: usize = 40;

/// A store outside this process, with types.
pub(super) struct Far {
    pub(super) store: Arc<dyn Store>,
    pub(super) wire: Wire,
    pub(super) health: Health,
    pub(super) owed: Owed,
    pub(super) families: Arc<Families>,
    name: Box<str>,
    prefix: String,
    clock: Arc<dyn Clock>,
    pub(super) calls: AtomicU64,
    pub(super) nanoseconds: AtomicU64,
}

/// A value from the store.
pub(super) struct Distant<T> {
    pub(super) value: Arc<T>,
    /// For how long it still is fresh, and true.
    pub(super) lifetime: Lifetime,
    pub(super) is_stale: bool,
    /// How many bytes it takes.
    pub(super) bytes: u64,
    /// Whether a tier before the store may keep it: it is not a count, and has no tags but those that were asked for.
    pub(super) may_be_near: bool,
}

/// Bytes as they are in the store, and whether they are true.
pub(super) struct Kept {
    pub(super) bytes: Vec<u8>,
    pub(super) is_true: bool,
}

impl Far {
    pub(super) fn new(
        name: &str,
        version: &str,
        format: WireFormat,
        store: Arc<dyn Store>,
        clock: Arc<dyn Clock>,
        families: Arc<Families>,
    ) -> Self {
        Self {
            store,
            wire: Wire::new(format),
            health: Health::default(),
            owed: Owed::default(),
            families,
            name: name.into(),
            prefix: format!("{name}:{version}:"),
            clock,
            calls: AtomicU64::new(0),
            nanoseconds: AtomicU64::new(0),
        }
    }

    /// What all keys and tags of this cache begin with.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What the names of this cache's locks begin with; without the version, so that two releases share them.
    pub(super) fn lock_name(&self, name: &str) -> String {
        let prefix = format!("{}:", self.name);
        fit(&prefix, name)
    }

    /// A name as it is in this process: the one in the store without the prefix.
    pub(super) fn local<'k>(&self, name: &'k str) -> Cow<'k, str> {
        match self.prefix.len() + name.len() <= LONGEST_KEY {
            true => Cow::Borrowed(name),
            false => Cow::Owned(fit(&self.prefix, name).split_off(self.prefix.len())),
        }
    }

    /// The name that a key or a tag has in the store.
    pub(super) fn full(&self, name: &str) -> String {
        fit(&self.prefix, name)
    }

    pub(super) fn full_all<T: AsRef<str>>(&self, names: &[T]) -> Vec<String> {
        names.iter().map(|name| self.full(name.as_ref())).collect()
    }

    /// Asks the store, unless it was down a moment ago or has still to be told what became old while it was.
    pub(super) async fn ask<T>(
        &self,
        operation: &'static str,
        answer: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, CacheError> {
        let failed = |source| CacheError::Store { cache: self.name.to_string(), operation, source: Arc::new(source) };
        self.health.may_ask().map_err(failed)?;
        let began = Instant::now();
        let answer = match self.owed.settle(&*self.store).await {
            Ok(()) => answer.await,
            Err(error) => Err(error),
        };
        self.calls.fetch_add(1, Relaxed);
        self.nanoseconds.fetch_add(u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX), Relaxed);
        match &answer {
            Err(error @ StoreError::Unavailable(_)) => self.health.failed(&self.name, error),
            _ => self.health.answered(&self.name),
        }
        answer.map_err(failed)
    }

    fn now(&self) -> u64 {
        milliseconds(self.clock.now())
    }

    pub(super) fn ends(&self, lifetime: Lifetime) -> Ends {
        let now = self.now();
        let end = |after: Duration| now.saturating_add(u64::try_from(after.as_millis()).unwrap_or(u64::MAX)).max(1);
        Ends { fresh: lifetime.fresh.map(end), whole: lifetime.whole.map(end) }
    }

    /// The bytes of a value.
    pub(super) fn write<T: CacheValue>(
        &self,
        key: &str,
        value: &T,
        tags: &[(&str, Version)],
        lifetime: Lifetime,
    ) -> Result<Vec<u8>, CacheError> {
        let not_writable = |reason| CacheError::NotWritable { key: key.to_owned(), format: self.wire.format(), reason };
        let bytes = self.wire.write(value, tags, self.ends(lifetime)).map_err(not_writable)?;
        let family = self.families.of(key);
        family.puts.fetch_add(1, Relaxed);
        family.bytes.fetch_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX), Relaxed);
        Ok(bytes)
    }

    /// The values under several keys.
    pub(super) async fn get<T: CacheValue>(
        &self,
        keys: &[&str],
        tags: &[Box<str>],
    ) -> Result<Vec<Option<Distant<T>>>, CacheError> {
        let (full_keys, full_tags) = (self.full_all(keys), self.full_all(tags));
        let fetched = self.ask("get", self.store.fetch(&full_keys, &full_tags)).await?;
        let known: Vec<_> = full_tags.iter().map(String::as_str).zip(fetched.tags).collect();
        let mut values = Vec::with_capacity(keys.len());
        for (key, bytes) in keys.iter().zip(fetched.entries) {
            values.push(match bytes {
                Some(bytes) => self.read(key, &bytes, &known).await?,
                None => None,
            });
        }
        Ok(values)
    }

    /// The value that bytes are, where it is true. `known` are versions of tags that were fetched with them.
    pub(super) async fn read<T: CacheValue>(
        &self,
        key: &str,
        bytes: &[u8],
        known: &[(&str, Option<Version>)],
    ) -> Result<Option<Distant<T>>, CacheError> {
        let Some(stored) = Stored::read(bytes) else {
            self.undecodable(key, "it is not laid out as this version of the toolkit does it");
            return Ok(None);
        };
        if !self.is_true(&stored, known).await? {
            return Ok(None);
        }
        let value = match stored.value::<T>() {
            Ok(value) => value,
            Err(reason) => {
                self.undecodable(key, &reason);
                return Ok(None);
            }
        };
        let now = self.now();
        let left = |end: u64| Duration::from_millis(end.saturating_sub(now));
        Ok(Some(Distant {
            value: Arc::new(value),
            lifetime: Lifetime { fresh: stored.ends.fresh.map(left), whole: stored.ends.whole.map(left) },
            is_stale: stored.ends.fresh.is_some_and(|fresh| fresh <= now),
            bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            may_be_near: !stored.is_count() && stored.tags.iter().all(|(tag, _)| known.iter().any(|(k, _)| k == tag)),
        }))
    }

    /// Whether what is stored has not ended, and none of its tags was invalidated. Tags that nobody asked for with it cost
    /// a question of their own.
    pub(super) async fn is_true(
        &self,
        stored: &Stored<'_>,
        known: &[(&str, Option<Version>)],
    ) -> Result<bool, CacheError> {
        if stored.ends.whole.is_some_and(|whole| whole <= self.now()) {
            return Ok(false);
        }
        let mut unknown = Vec::new();
        for (tag, version) in &stored.tags {
            match known.iter().find(|(name, _)| name == tag) {
                Some((_, now)) if now.as_ref() != Some(version) => return Ok(false),
                Some(_) => {}
                None => unknown.push((*tag, *version)),
            }
        }
        if unknown.is_empty() {
            return Ok(true);
        }
        let tags: Vec<_> = unknown.iter().map(|(tag, _)| (*tag).to_owned()).collect();
        let now = self.ask("get", self.store.fetch(&[], &tags)).await?.tags;
        Ok(unknown.iter().zip(now).all(|((_, version), now)| now.as_ref() == Some(version)))
    }

    /// What is under a key, as it is.
    pub(super) async fn peek(&self, key: &str, tags: &[Box<str>]) -> Result<Option<Kept>, CacheError> {
        let (full_keys, full_tags) = ([self.full(key)], self.full_all(tags));
        let fetched = self.ask("get", self.store.fetch(&full_keys, &full_tags)).await?;
        let known: Vec<_> = full_tags.iter().map(String::as_str).zip(fetched.tags).collect();
        let Some(bytes) = fetched.entries.into_iter().next().flatten() else { return Ok(None) };
        let is_true = match Stored::read(&bytes) {
            Some(stored) => self.is_true(&stored, &known).await?,
            None => false,
        };
        Ok(Some(Kept { bytes, is_true }))
    }

    /// [`Store::begin`], for a value with these tags.
    pub(super) async fn begin(
        &self,
        key: &str,
        tags: &[String],
        ttl: Option<Duration>,
        lease: Option<Uuid>,
    ) -> Result<Begun, CacheError> {
        let lease = lease.map(|owner| (owner, LEASE));
        // Its time begins when it has been loaded, and its tags have to last longer.
        let ttl = kept_for(ttl, tags).map(|ttl| ttl.saturating_add(LEASE));
        self.ask("begin to load", self.store.begin(Begin { key: &self.full(key), tags, ttl, lease })).await
    }

    /// Puts a value where the condition holds; whether it did.
    pub(super) async fn put(
        &self,
        key: &str,
        value: &[u8],
        ttl: Option<Duration>,
        when: When<'_>,
    ) -> Result<bool, CacheError> {
        self.ask("put", self.store.put(Put { key: &self.full(key), value, ttl, when })).await
    }

    /// Counts bytes that are not what was asked for, and says so once a family.
    fn undecodable(&self, key: &str, reason: &str) {
        if self.families.of(key).undecodable.fetch_add(1, Relaxed) == 0 {
            tracing::warn!(key, reason, "a cached value cannot be read; such values are taken for absent");
        }
    }
}

fn milliseconds(moment: Timestamp) -> u64 {
    u64::try_from(moment.utc().timestamp_millis()).unwrap_or(0)
}

/// A name with its prefix, as long as a store takes it: the end of a long one is replaced by a hash of it all.
fn fit(prefix: &str, name: &str) -> String {
    let length = prefix.len() + name.len();
    if length <= LONGEST_KEY {
        return format!("{prefix}{name}");
    }
    let digest = Sha256::digest(name);
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).take(DIGITS / 2).collect();
    let begin = &name[..name.floor_char_boundary(LONGEST_KEY.saturating_sub(prefix.len() + DIGITS + 1))];
    format!("{prefix}{begin}#{digits}")
}

/// For how long a store keeps what is to be kept for `whole`.
pub(super) fn kept_for(whole: Option<Duration>, tags: &[String]) -> Option<Duration> {
    whole.or_else(|| (!tags.is_empty()).then_some(LONGEST))
}

/// The tags of what is put in: their names in the store, and their versions.
pub(super) fn versioned<'a>(tags: &'a [String], versions: &[Version]) -> Vec<(&'a str, Version)> {
    tags.iter().map(String::as_str).zip(versions.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_fit_and_stay_apart() {
        assert_eq!(fit("default:1:", "ships:7"), "default:1:ships:7");
        for letter in ["s", "ä", "船"] {
            let long = letter.repeat(300);
            let (one, other) = (fit("default:1:", &format!("{long}1")), fit("default:1:", &format!("{long}2")));
            assert!(one.len() <= LONGEST_KEY && one.len() > LONGEST_KEY - 4, "{}", one.len());
            assert_ne!(one, other);
        }
    }
}
