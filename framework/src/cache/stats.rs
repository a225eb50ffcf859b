use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use serde::Serialize;

use super::{Cache, CacheError, FamilyStats, family::hit_rate, memory::Memory};

/// What a cache holds in this process and what happened to it since the process began.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CacheStats {
    /// The cache's name.
    pub name: String,
    /// How many entries there are in this process, those included that are no longer true and not yet taken out.
    pub entries: usize,
    /// How many bytes they take, about.
    pub bytes: u64,
    /// How many bytes there is room for.
    pub capacity: u64,
    /// How many loads are under way.
    pub loading: usize,
    /// How many of a hundred reads found a value; nothing where there were none, or nothing is ever kept.
    pub hit_rate: Option<f64>,
    /// What happened, by kind of key.
    pub families: Vec<FamilyStats>,
    /// How the store behind it does, where there is one.
    pub store: Option<StoreStats>,
}

/// How a store outside this process does.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StoreStats {
    /// Whether it answered when it was last asked.
    pub is_up: bool,
    /// Whether it says what other processes change. Where it does not, nothing in this process is used.
    pub hears: bool,
    /// How often it was asked.
    pub calls: u64,
    /// How often it could not be reached.
    pub failures: u64,
    /// How long all answers took together, in milliseconds.
    pub milliseconds: f64,
}

/// What a cache holds outside this process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CacheUsage {
    /// How many entries there are.
    pub entries: u64,
    /// How many bytes their values take, where the store can tell.
    pub bytes: Option<u64>,
}

impl Cache {
    /// What it holds in this process and what happened to it.
    pub fn stats(&self) -> CacheStats {
        let near = self.shared.near.as_ref();
        let store = self.shared.far.as_ref().map(|far| StoreStats {
            is_up: !far.health.is_down(),
            hears: self.shared.hears(),
            calls: far.calls.load(Relaxed),
            failures: far.health.failures.load(Relaxed),
            milliseconds: Duration::from_nanos(far.nanoseconds.load(Relaxed)).as_secs_f64() * 1e3,
        });
        let families = self.shared.families.stats();
        let sum = |of: fn(&FamilyStats) -> u64| families.iter().map(of).sum();
        let keeps = near.is_some() || store.is_some();
        CacheStats {
            name: self.name().to_owned(),
            entries: near.map_or(0, Memory::len),
            bytes: near.map_or(0, Memory::weight),
            capacity: near.map_or(0, Memory::capacity),
            loading: self.shared.flights.count(),
            hit_rate: hit_rate(sum(|family| family.hits), sum(|family| family.misses)).filter(|_| keeps),
            families,
            store,
        }
    }

    /// What it holds outside this process; `None` where it holds nothing there.
    ///
    /// # Errors
    /// [`CacheError::Store`].
    pub async fn usage(&self) -> Result<Option<CacheUsage>, CacheError> {
        let Some(far) = &self.shared.far else { return Ok(None) };
        let usage = far.ask("be counted", far.store.usage(far.prefix())).await?;
        Ok(Some(CacheUsage { entries: usage.entries, bytes: usage.bytes }))
    }
}
