//! The cache: values by key, with tags, for as long as they are true.
//!
//! A value in memory is handed out as it is, behind an [`Arc`](std::sync::Arc): nothing is copied and nothing decoded.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//!
//! use paravel::cache::{Cache, CacheError};
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let cache = Cache::memory("ships", 1 << 20);
//! let hour = Duration::from_secs(3600);
//!
//! // The closure runs once, however many ask at once.
//! let name: Arc<String> = cache
//!     .tags(["ships", "ships:7"])
//!     .remember("ships:7:name", hour, async || Ok::<_, CacheError>("Dawn Treader".to_owned()))
//!     .await?;
//! assert_eq!(*name, "Dawn Treader");
//!
//! // What was kept under the tag is gone, and what was being loaded is not kept.
//! cache.invalidate(["ships:7"]).await?;
//! assert_eq!(cache.get::<String>("ships:7:name").await?, None);
//! # Ok::<_, CacheError>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What holds
//!
//! - **One load at a time.** Of callers that miss the same key at once, one runs its loader; the others get its value or its
//!   error. Where it panics or is cancelled, the next of them runs its own.
//! - **What was loaded before a change is not kept after it.** A value carries the versions that its tags had before it was
//!   loaded; to invalidate a tag changes its version, however many entries have it. A key that was forgotten while its value was
//!   being loaded stays forgotten.
//! - **An error is never kept.**
//! - **A transaction's changes wait for its commit**: values that are put in or forgotten inside one, and tags that are
//!   invalidated. What is remembered inside one is loaded, and not kept.
//! - **A store that fails costs time, not answers**: values are loaded. What became old meanwhile is told to it before this process
//!   uses it again. Locks, limits and counts fail.

mod absence;
mod caches;
mod change;
mod commands;
mod count;
mod counts;
mod database;
mod derived;
mod error;
mod family;
mod far;
mod flight;
mod gauge;
mod handle;
mod health;
mod inside;
mod limiter;
mod load;
mod lock;
mod locks;
mod memory;
mod owed;
#[cfg(feature = "redis")]
mod redis;
mod shared;
mod stats;
mod store;
mod tags;
mod warmer;
mod wire;

pub use caches::{Caches, MissingStore, Stores};
pub use database::DatabaseStore;
pub use error::CacheError;
pub use family::FamilyStats;
pub use handle::{Cache, CacheValue};
pub use limiter::{Attempt, Limit, RateLimiter};
pub use lock::Lock;
#[cfg(feature = "redis")]
pub use redis::RedisStore;
pub use stats::{CacheStats, CacheUsage, StoreStats};
pub use store::{
    Acquired, Begin, Begun, Changes, Counted, Fetched, LONGEST_KEY, LockStore, Put, Store, StoreError, Usage, Version,
    When,
};
pub use warmer::{CacheWarmer, UnknownWarmer, Warmed, WarmerEntry, WarmerInfo, Warmers};
