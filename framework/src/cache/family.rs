use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use parking_lot::RwLock;

/// More kinds of keys than an application has. A key is the user's, so there could be any number.
const MOST: usize = 256;

/// Where the keys beyond those are counted.
const OTHERS: &str = "(others)";

/// The counts of keys that begin alike, up to the first `:`.
#[derive(Debug, Default)]
pub(super) struct Family {
    pub(super) hits: AtomicU64,
    pub(super) misses: AtomicU64,
    pub(super) stale: AtomicU64,
    pub(super) puts: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) evictions: AtomicU64,
    pub(super) undecodable: AtomicU64,
    pub(super) loads: AtomicU64,
    pub(super) load_nanoseconds: AtomicU64,
}

/// What happened to the keys of one kind since the process began: those that begin alike, up to the first `:`.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct FamilyStats {
    /// What they begin with.
    pub family: String,
    /// How often a value was there.
    pub hits: u64,
    /// How often none was.
    pub misses: u64,
    /// How many of a hundred reads found one; nothing where there were none.
    pub hit_rate: Option<f64>,
    /// How many of the hits were of values that were being loaded anew.
    pub stale: u64,
    /// How many values were put in.
    pub puts: u64,
    /// How many bytes they would take as JSON, in all.
    pub bytes: u64,
    /// How many had to make room for others.
    pub evictions: u64,
    /// How many were of another type than was asked for.
    pub undecodable: u64,
    /// How many loaders ran.
    pub loads: u64,
    /// How long a loader took on average, in milliseconds.
    pub load_milliseconds: f64,
}

/// How many of a hundred reads found a value.
#[expect(clippy::cast_precision_loss, reason = "a share that a person reads")]
pub(super) fn hit_rate(hits: u64, misses: u64) -> Option<f64> {
    let reads = hits.saturating_add(misses);
    (reads > 0).then(|| hits as f64 * 100.0 / reads as f64)
}

/// The families of one cache.
#[derive(Debug, Default)]
pub(super) struct Families(RwLock<BTreeMap<Box<str>, Arc<Family>>>);

impl Families {
    /// The family of a key.
    pub(super) fn of(&self, key: &str) -> Arc<Family> {
        let name = key.split(':').next().unwrap_or(key);
        let found = self.0.read().get(name).map(Arc::clone);
        found.unwrap_or_else(|| {
            let mut families = self.0.write();
            let name = if families.len() < MOST { name } else { OTHERS };
            Arc::clone(families.entry(name.into()).or_default())
        })
    }

    pub(super) fn stats(&self) -> Vec<FamilyStats> {
        self.0.read().iter().map(|(name, family)| family.stats(name)).collect()
    }
}

impl Family {
    pub(super) fn loaded(&self, took: Duration) {
        self.loads.fetch_add(1, Relaxed);
        self.load_nanoseconds.fetch_add(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX), Relaxed);
    }

    fn stats(&self, name: &str) -> FamilyStats {
        let (hits, misses, loads) = (self.hits.load(Relaxed), self.misses.load(Relaxed), self.loads.load(Relaxed));
        // Durations that a person reads: what is lost beyond 2^53 nanoseconds is nothing.
        #[expect(clippy::cast_precision_loss, reason = "an average that a person reads")]
        let load_milliseconds = self.load_nanoseconds.load(Relaxed) as f64 / loads.max(1) as f64 / 1e6;
        FamilyStats {
            family: name.to_owned(),
            hits,
            misses,
            hit_rate: hit_rate(hits, misses),
            stale: self.stale.load(Relaxed),
            puts: self.puts.load(Relaxed),
            bytes: self.bytes.load(Relaxed),
            evictions: self.evictions.load(Relaxed),
            undecodable: self.undecodable.load(Relaxed),
            loads,
            load_milliseconds,
        }
    }
}
