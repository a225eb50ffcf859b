use std::{sync::Arc, time::Duration};

use futures_util::future::{BoxFuture, FutureExt};
use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::probe::Returned;
use crate::{
    cache::{Cache, CacheValue},
    container::spawn,
    database::{after_commit, in_transaction},
};

/// Where the result of a call is kept.
pub struct Entry<'a> {
    /// The cache.
    pub cache: &'a Cache,
    /// The key.
    pub key: String,
    /// The tags.
    pub tags: Vec<String>,
    /// For how long.
    pub ttl: Duration,
}

/// Says of a return type that it can be kept.
pub fn kept<T: CacheValue + Clone, E: Send + 'static>(returned: Returned<Result<T, E>>) -> Returned<Result<T, E>> {
    returned
}

/// What a load came to that is not kept. Callers that waited for it share it as far as it can be copied.
struct Unkept<T, E>(Arc<Mutex<Option<Result<T, E>>>>);

impl<T, E> Clone for Unkept<T, E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Clone, E> Unkept<T, E> {
    fn take(&self, copy: impl Fn(&E) -> Option<E>) -> Option<Result<T, E>> {
        let mut result = self.0.lock();
        let copied = match result.as_ref()? {
            Ok(value) => Some(Ok(value.clone())),
            Err(error) => copy(error).map(Err),
        };
        copied.or_else(|| result.take())
    }
}

/// The result of a cached method: what is kept, or what `load` returns. Where a transaction is open it is always the latter,
/// and not kept: it may see what is never committed.
///
/// # Errors
/// The method's own.
pub async fn cached<'f, T, E, Load, Keep, Copy>(
    _: Returned<Result<T, E>>,
    entry: Entry<'_>,
    load: Load,
    keep: Keep,
    copy: Copy,
) -> Result<T, E>
where
    T: CacheValue + Clone,
    E: Send + 'static,
    Load: Fn() -> BoxFuture<'f, Result<T, E>> + Sync,
    Keep: Fn(&T) -> bool + Sync,
    Copy: Fn(&E) -> Option<E> + Sync,
{
    let Entry { cache, key, tags, ttl } = entry;
    if in_transaction() {
        return load().await;
    }
    let (load, keep) = (&load, &keep);
    let fetch = || async move {
        match load().await {
            Ok(value) if keep(&value) => Ok(value),
            other => Err(Unkept(Arc::new(Mutex::new(Some(other))))),
        }
    };
    let unkept = match cache.tags(tags).remember(&key, ttl, fetch).await {
        Ok(value) => return Ok(T::clone(&value)),
        Err(unkept) => unkept.take(copy),
    };
    match unkept {
        Some(result) => result,
        // Somebody else has the error, and there is but one.
        None => load().await,
    }
}

/// What ends with a call: all that is kept under these tags. Whatever came of the call, since an error does not say that nothing
/// was changed; where its caller goes away, at once.
pub struct Invalidation<'a> {
    cache: &'a Cache,
    tags: Vec<String>,
}

impl<'a> Invalidation<'a> {
    /// Of these tags.
    pub fn of(cache: &'a Cache, tags: Vec<String>) -> Self {
        Self { cache, tags }
    }

    /// Invalidates them; where a transaction is open, once it is committed.
    pub async fn run(mut self) {
        let tags = std::mem::take(&mut self.tags);
        let waits = in_transaction() && after_commit(invalidate(self.cache.clone(), tags.clone())).await.is_ok();
        if !waits {
            invalidate(self.cache.clone(), tags).await;
        }
    }
}

async fn invalidate(cache: Cache, tags: Vec<String>) {
    if let Err(error) = cache.invalidate(&tags).await {
        tracing::error!(?tags, %error, "what was cached could not be invalidated, and may be old until its time is over");
    }
}

impl Drop for Invalidation<'_> {
    fn drop(&mut self) {
        let tags = std::mem::take(&mut self.tags);
        if tags.is_empty() {
            return;
        }
        let mut invalidation = invalidate(self.cache.clone(), tags).boxed();
        // A cache in memory answers at once.
        if (&mut invalidation).now_or_never().is_none() && Handle::try_current().is_ok() {
            spawn(invalidation);
        }
    }
}
