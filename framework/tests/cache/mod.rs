//! The cache: what it keeps and for how long, and what many who want the same at once get.

mod facade;
mod loads;
mod locks;
mod logs;
mod null;
pub mod stores;
mod values;

use std::time::Duration;

use paravel::cache::Cache;

pub const HOUR: Duration = Duration::from_secs(3600);

/// A cache with room for what a test puts in.
pub fn cache() -> Cache {
    Cache::memory("test", 64 << 20)
}
