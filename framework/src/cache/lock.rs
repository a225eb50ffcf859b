use std::{fmt, sync::Arc, time::Duration};

use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::{
    CacheError,
    store::{Acquired, LockStore, StoreError},
};

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
    store: Arc<dyn LockStore>,
    cache: Box<str>,
    name: Box<str>,
    // In the store.
    full: Box<str>,
    owner: Uuid,
    lease: Duration,
}

impl fmt::Debug for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lock").field("name", &self.name).field("owner", &self.owner).finish_non_exhaustive()
    }
}

impl Lock {
    pub(super) fn new(store: Arc<dyn LockStore>, cache: &str, name: &str, full: &str, lease: Duration) -> Self {
        Self { store, cache: cache.into(), name: name.into(), full: full.into(), owner: Uuid::new_v4(), lease }
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
    /// [`CacheError::Store`]: whether anybody has it cannot be told, so nobody gets it.
    pub async fn acquire(&self) -> Result<bool, CacheError> {
        Ok(self.try_acquire().await? == Acquired::Yes)
    }

    async fn try_acquire(&self) -> Result<Acquired, CacheError> {
        let acquired = self.store.acquire(&self.full, self.owner, self.lease).await;
        acquired.map_err(|error| self.failed("take a lock", error))
    }

    fn failed(&self, operation: &'static str, error: StoreError) -> CacheError {
        CacheError::Store { cache: self.cache.to_string(), operation, source: Arc::new(error) }
    }

    /// Takes the lock, after waiting for it for so long at most.
    ///
    /// # Errors
    /// [`CacheError::Locked`]; as [`acquire`](Self::acquire).
    pub async fn block(&self, patience: Duration) -> Result<(), CacheError> {
        let started = Instant::now();
        loop {
            let released = self.store.released();
            let Acquired::No(held_for) = self.try_acquire().await? else { return Ok(()) };
            let left = patience.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Err(CacheError::Locked { name: self.name.to_string(), waited: started.elapsed() });
            }
            let _ = timeout(left.min(held_for), released).await;
        }
    }

    /// Gives the lock back; whether it was this owner's. Somebody else's is left alone.
    ///
    /// # Errors
    /// As [`acquire`](Self::acquire). Its lease ends by itself.
    pub async fn release(&self) -> Result<bool, CacheError> {
        let released = self.store.release(&self.full, self.owner).await;
        released.map_err(|error| self.failed("give a lock back", error))
    }
}
