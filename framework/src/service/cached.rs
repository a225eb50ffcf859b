use std::{future::Future, sync::Arc};

use futures_util::future::{BoxFuture, FutureExt};
use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::{CacheSlot, probe::Returned};
use crate::{
    cache::{Cache, CacheValue},
    container::spawn,
    database::{each_commit, from_primary, in_transaction},
};

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
    cache: &Cache,
    slot: CacheSlot<T>,
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
    let CacheSlot { key, tags, ttl, .. } = slot;
    if in_transaction() {
        return load().await;
    }
    let (load, keep) = (&load, &keep);
    let fetch = || async move {
        match from_primary(load()).await {
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
/// was changed.
pub struct Invalidation<'a> {
    cache: &'a Cache,
    tags: Vec<String>,
}

impl<'a> Invalidation<'a> {
    /// Of these tags.
    pub fn of(cache: &'a Cache, tags: Vec<String>) -> Self {
        Self { cache, tags }
    }

    /// Runs the call and invalidates them: after the commit of each transaction that begins in it, although its caller may
    /// be gone by then, and once it has run; where it runs in a transaction, once that is committed.
    pub async fn around<F: Future>(self, call: F) -> F::Output {
        let (cache, tags) = (self.cache.clone(), self.tags.clone());
        let each = move || {
            let (cache, tags) = (cache.clone(), tags.clone());
            async move { invalidate(&cache, &tags).await }
        };
        let result = each_commit(each, call).await;
        self.run().await;
        result
    }

    async fn run(mut self) {
        let tags = std::mem::take(&mut self.tags);
        invalidate(self.cache, &tags).await;
    }
}

async fn invalidate(cache: &Cache, tags: &[String]) {
    if let Err(error) = cache.invalidate(tags).await {
        tracing::error!(?tags, %error, "what was cached could not be invalidated, and may be old until its time is over");
    }
}

impl Drop for Invalidation<'_> {
    /// Its caller has gone away.
    fn drop(&mut self) {
        let (cache, tags) = (self.cache.clone(), std::mem::take(&mut self.tags));
        if tags.is_empty() {
            return;
        }
        let mut invalidation = async move { invalidate(&cache, &tags).await }.boxed();
        // A cache in memory answers at once.
        if (&mut invalidation).now_or_never().is_none() && Handle::try_current().is_ok() {
            spawn(invalidation);
        }
    }
}
