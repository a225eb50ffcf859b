use super::{CacheStats, Caches};
use crate::support::{Gauge, Measure, Metric, Reading};

impl Gauge for Caches {
    fn read(&self) -> Vec<Reading> {
        self.all().flat_map(|cache| readings(&cache.stats())).collect()
    }
}

/// What is watched of a cache: whether it finds what it is asked for, whether it has room, and how fast its store is.
fn readings(stats: &CacheStats) -> Vec<Reading> {
    let mut readings = Vec::new();
    // A cache that is to keep nothing misses nothing.
    if stats.capacity > 0 || stats.store.is_some() {
        let hits: u64 = stats.families.iter().map(|family| family.hits).sum();
        let misses: u64 = stats.families.iter().map(|family| family.misses).sum();
        let hit_rate = Measure::Mean { sum: hits as f64 * 100.0, count: hits + misses };
        readings.push(Reading::new(Metric::CacheHitRate, &*stats.name, hit_rate));
    }
    if stats.capacity > 0 {
        let taken = Measure::Now(stats.bytes as f64 / stats.capacity as f64 * 100.0);
        readings.push(Reading::new(Metric::CacheMemory, &*stats.name, taken));
    }
    if let Some(store) = &stats.store {
        let latency = Measure::Mean { sum: store.milliseconds, count: store.calls };
        readings.push(Reading::new(Metric::CacheLatency, &*stats.name, latency));
    }
    readings
}
