use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt};

use super::{Claim, Fence, FenceError, KEPT};
use crate::{
    cache::{Cache, CacheError},
    support::Timestamp,
};

/// Ten years: as good as for ever, and short enough for every store.
const AGES: Duration = Duration::from_secs(3650 * 24 * 3600);

/// A [`Fence`] in a cache that processes share. Of two who [`add`](Cache::add) a run, one does.
///
/// ```
/// use paravel::{cache::Cache, schedule::{CacheFence, Claim, Fence}, support::Timestamp};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let fence = CacheFence::new(Cache::memory("default", 1 << 20));
/// let due = Timestamp::from_unix(1_700_000_000);
/// assert!(fence.claim(Claim { task: "report", due, by: "one server" }).await?);
/// assert!(!fence.claim(Claim { task: "report", due, by: "another" }).await?);
/// # Ok::<(), paravel::schedule::FenceError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct CacheFence(Cache);

impl CacheFence {
    /// In this cache.
    pub fn new(cache: Cache) -> Self {
        Self(cache)
    }

    async fn advance(&self, task: &str, until: Timestamp) -> Result<(), CacheError> {
        let key = known(task);
        match self.0.get::<Timestamp>(&key).await? {
            Some(known) if *known >= until => Ok(()),
            _ => self.0.forever(&key, until).await,
        }
    }
}

/// The key of what is known of a task.
fn known(task: &str) -> String {
    format!("schedule:known:{task}")
}

impl Fence for CacheFence {
    fn claim<'a>(&'a self, claim: Claim<'a>) -> BoxFuture<'a, Result<bool, FenceError>> {
        let take = async move {
            let key = format!("schedule:run:{}:{}", claim.due.utc().timestamp(), claim.task);
            let by = claim.by.to_owned();
            // An earlier try may have come through whose answer did not.
            let taken = self.0.add(&key, by, KEPT).await?
                || self.0.get::<String>(&key).await?.is_some_and(|by| *by == claim.by);
            if taken {
                self.advance(claim.task, claim.due).await?;
            }
            Ok::<_, CacheError>(taken)
        };
        async move { take.await.map_err(FenceError::new) }.boxed()
    }

    fn known_until<'a>(&'a self, task: &'a str, now: Timestamp) -> BoxFuture<'a, Result<Timestamp, FenceError>> {
        async move {
            let key = known(task);
            // Where the cache fails, `get` finds nothing, and `add` says so.
            let found = async || self.0.get::<Timestamp>(&key).await.map_err(FenceError::new);
            if let Some(known) = found().await? {
                return Ok(*known);
            }
            if self.0.add(&key, now, AGES).await.map_err(FenceError::new)? {
                return Ok(now);
            }
            found().await?.map(|known| *known).ok_or_else(|| FenceError::new("what is kept of it cannot be read"))
        }
        .boxed()
    }

    fn note<'a>(&'a self, task: &'a str, until: Timestamp) -> BoxFuture<'a, Result<(), FenceError>> {
        async move { self.advance(task, until).await.map_err(FenceError::new) }.boxed()
    }
}
