use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};
use uuid::Uuid;

use super::CacheError;

/// The locks of one cache.
#[derive(Clone, Default)]
pub(super) struct Locks(Arc<Inner>);

#[derive(Default)]
struct Inner {
    held: Mutex<HashMap<Box<str>, Held>>,
    released: Notify,
}

struct Held {
    owner: Uuid,
    until: Instant,
}

/// A lock with an owner and a lease: it falls open by itself when that has passed, so that an owner who is gone keeps nobody
/// out for ever.
///
/// ```
/// use std::time::Duration;
/// use paravel::cache::{Cache, CacheError};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let cache = Cache::memory("default", 1 << 20);
/// let lock = cache.lock("reports", Duration::from_secs(30));
/// assert!(lock.acquire().await?);
/// assert!(!cache.lock("reports", Duration::from_secs(30)).acquire().await?);
/// assert!(lock.release().await?);
/// # Ok::<_, CacheError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Lock {
    locks: Locks,
    name: Box<str>,
    owner: Uuid,
    lease: Duration,
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").field("name", &self.name).field("owner", &self.owner).finish_non_exhaustive()
    }
}

impl Lock {
    pub(super) fn new(locks: Locks, name: &str, lease: Duration) -> Self {
        Self { locks, name: name.into(), owner: Uuid::new_v4(), lease }
    }

    /// The same lock for this owner: whoever goes on with what another process began, a job for one, may release it.
    #[must_use]
    pub fn of_owner(self, owner: Uuid) -> Self {
        Self { owner, ..self }
    }

    /// Who takes it by this.
    pub fn owner(&self) -> Uuid {
        self.owner
    }

    /// Takes the lock, if nobody else has it; whether it did. Its owner begins a new lease.
    ///
    /// # Errors
    /// None that this kind of cache has.
    pub async fn acquire(&self) -> Result<bool, CacheError> {
        Ok(self.try_acquire().is_ok())
    }

    /// When somebody else's lease ends.
    fn try_acquire(&self) -> Result<(), Instant> {
        let mut held = self.locks.0.held.lock();
        let now = Instant::now();
        if let Some(other) = held.get(&self.name)
            && other.owner != self.owner
            && other.until > now
        {
            return Err(other.until);
        }
        // An hour that is longer than the clock goes is as good as any.
        let until = now.checked_add(self.lease).unwrap_or(now + Duration::from_secs(1 << 31));
        held.retain(|_, lock| lock.until > now);
        held.insert(self.name.clone(), Held { owner: self.owner, until });
        Ok(())
    }

    /// Takes the lock, after waiting for it for so long at most.
    ///
    /// # Errors
    /// [`CacheError::Locked`].
    pub async fn block(&self, patience: Duration) -> Result<(), CacheError> {
        let started = Instant::now();
        let deadline = started.checked_add(patience);
        loop {
            let released = self.locks.0.released.notified();
            tokio::pin!(released);
            // Before the look, so that a release right after it is heard.
            released.as_mut().enable();
            let Err(until) = self.try_acquire() else { return Ok(()) };
            let wake = deadline.map_or(until, |deadline| deadline.min(until));
            let _ = timeout_at(wake, released).await;
            if deadline.is_some_and(|deadline| deadline <= Instant::now()) {
                return match self.try_acquire() {
                    Ok(()) => Ok(()),
                    Err(_) => Err(CacheError::Locked { name: self.name.to_string(), waited: started.elapsed() }),
                };
            }
        }
    }

    /// Gives the lock back; whether it was this owner's. Somebody else's is left alone.
    ///
    /// # Errors
    /// None that this kind of cache has.
    pub async fn release(&self) -> Result<bool, CacheError> {
        let now = Instant::now();
        let mut held = self.locks.0.held.lock();
        let ours = held.get(&self.name).is_some_and(|lock| lock.owner == self.owner && lock.until > now);
        if ours {
            held.remove(&self.name);
            self.locks.0.released.notify_waiters();
        }
        Ok(ours)
    }
}
