use std::{fmt, time::Duration};

use super::{Cache, CacheError};

/// So much in so long.
///
/// ```
/// use std::time::Duration;
/// use paravel::cache::Limit;
///
/// assert_eq!(Limit::per_minute(5), Limit::of(5, Duration::from_secs(60)));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    most: u32,
    window: Duration,
}

impl Limit {
    /// So much in a window of time, which begins with the first.
    pub const fn of(most: u32, window: Duration) -> Self {
        Self { most, window }
    }

    /// So much a second.
    pub const fn per_second(most: u32) -> Self {
        Self::of(most, Duration::from_secs(1))
    }

    /// So much a minute.
    pub const fn per_minute(most: u32) -> Self {
        Self::of(most, Duration::from_secs(60))
    }

    /// So much an hour.
    pub const fn per_hour(most: u32) -> Self {
        Self::of(most, Duration::from_secs(3600))
    }

    /// So much a day.
    pub const fn per_day(most: u32) -> Self {
        Self::of(most, Duration::from_secs(86_400))
    }
}

/// What came of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempt {
    /// It may go on.
    Allowed {
        /// How many more may, in this window.
        remaining: u32,
    },
    /// It may not.
    Refused {
        /// When the window is over.
        retry_after: Duration,
    },
}

impl Attempt {
    /// Whether it may go on.
    pub const fn is_allowed(&self) -> bool {
        matches!(self, Self::Allowed { .. })
    }
}

/// Lets so much happen and no more, by key: a person, an address. All processes that share the cache's store count together.
/// Where the store fails, nothing is let through.
///
/// ```
/// use paravel::cache::{Cache, CacheError, Limit};
///
/// # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let cache = Cache::memory("default", 1 << 20);
/// let logins = cache.limiter("logins", Limit::per_minute(2));
/// assert!(logins.attempt("ada@example.com").await?.is_allowed());
/// assert!(logins.attempt("ada@example.com").await?.is_allowed());
/// assert!(!logins.attempt("ada@example.com").await?.is_allowed());
/// assert!(logins.attempt("bob@example.com").await?.is_allowed());
///
/// // She got it right.
/// logins.clear("ada@example.com").await?;
/// assert_eq!(logins.remaining("ada@example.com").await?, 2);
/// # Ok::<_, CacheError>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct RateLimiter {
    cache: Cache,
    name: Box<str>,
    limit: Limit,
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter").field("name", &self.name).field("limit", &self.limit).finish_non_exhaustive()
    }
}

impl RateLimiter {
    pub(super) fn new(cache: Cache, name: &str, limit: Limit) -> Self {
        Self { cache, name: name.into(), limit }
    }

    fn key(&self, key: &str) -> String {
        // So that `a:b` and `c` are not `a` and `b:c`.
        format!("limit:{}:{key}", self.name.replace('%', "%25").replace(':', "%3A"))
    }

    /// Counts an attempt, and says whether it may go on. One that is refused counts, too, and does not lengthen the window.
    ///
    /// # Errors
    /// [`CacheError::Store`]: how many there were cannot be told, so it may not.
    pub async fn attempt(&self, key: &str) -> Result<Attempt, CacheError> {
        let (count, expires_in) = self.cache.tally(&self.key(key), 1, self.limit.window).await?;
        Ok(self.judge(count, expires_in))
    }

    fn judge(&self, count: i64, expires_in: Duration) -> Attempt {
        let left = i64::from(self.limit.most).saturating_sub(count);
        match u32::try_from(left) {
            Ok(remaining) => Attempt::Allowed { remaining },
            // By the clock of another who began the window a moment ago, it might be longer.
            Err(_) => Attempt::Refused { retry_after: expires_in.min(self.limit.window) },
        }
    }

    /// How many attempts are left, without counting one, and without beginning a window.
    ///
    /// # Errors
    /// [`CacheError::Store`].
    pub async fn remaining(&self, key: &str) -> Result<u32, CacheError> {
        let count = self.cache.tallied(&self.key(key)).await?;
        let left = i64::from(self.limit.most).saturating_sub(count).max(0);
        Ok(u32::try_from(left).unwrap_or(0))
    }

    /// Forgets the attempts there were.
    ///
    /// # Errors
    /// [`CacheError::Store`].
    pub async fn clear(&self, key: &str) -> Result<(), CacheError> {
        self.cache.clear_tally(&self.key(key)).await
    }
}
