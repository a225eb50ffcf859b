use std::{future::Future, marker::PhantomData};

use futures_util::future::{BoxFuture, FutureExt};
use tokio::runtime::Handle;

use super::{Answer, CacheSlot};
use crate::{
    cache::{Cache, CacheValue},
    container::spawn,
    database::{each_commit, from_primary, in_transaction},
};

/// An error of which all who waited for one load get a copy.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is the error of a cached method, and not `Clone`",
    label = "this cannot be shared",
    note = "callers who waited for one load all get its error: derive `Clone` for it, and put into an `Arc` what has none"
)]
pub trait SharedError: Clone + Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<E: Clone + Send + Sync + 'static> SharedError for E {}

/// That a method's result can be kept, and its error shared.
pub struct Kept<T, E> {
    value: PhantomData<fn() -> T>,
    copy: fn(&E) -> E,
}

/// Says so. What cannot be is told of here alone, where the return type stands, and not once more by [`cached`].
pub fn kept<R: Answer<Value: CacheValue + Clone, Error: SharedError>>() -> Kept<R::Value, R::Error> {
    Kept { value: PhantomData, copy: Clone::clone }
}

/// What a load came to that is not kept, for all who waited for it.
struct Unkept<T, E> {
    result: Result<T, E>,
    copy: fn(&E) -> E,
}

impl<T: Clone, E> Clone for Unkept<T, E> {
    fn clone(&self) -> Self {
        Self { result: self.result.as_ref().map(T::clone).map_err(self.copy), copy: self.copy }
    }
}

/// The result of a cached method: what is kept, or what `load` returns. Where a transaction is open it is always the latter,
/// and not kept: it may see what is never committed. The slot is asked for where nothing is here.
///
/// # Errors
/// The method's own.
pub async fn cached<'f, T, E, Slot, Load>(
    kept: Kept<T, E>,
    cache: &Cache,
    key: String,
    slot: Slot,
    load: Load,
) -> Result<T, E>
where
    T: CacheValue + Clone,
    E: Send + Sync + 'static,
    Slot: FnOnce() -> CacheSlot<T>,
    Load: FnOnce() -> BoxFuture<'f, Result<T, E>>,
{
    if in_transaction() {
        return load().await;
    }
    if let Some(value) = cache.known::<T>(&key) {
        return Ok(T::clone(&value));
    }
    let CacheSlot { tags, ttl, keep, .. } = slot();
    let fetch = || async move {
        match from_primary(load()).await {
            Ok(value) if keep(&value) => Ok(value),
            result => Err(Unkept { result, copy: kept.copy }),
        }
    };
    match cache.tags(tags).remember(&key, ttl, fetch).await {
        Ok(value) => Ok(T::clone(&value)),
        Err(unkept) => unkept.result,
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
    pub async fn around<F: Future>(mut self, call: F) -> F::Output {
        let (cache, tags) = (self.cache.clone(), self.tags.clone());
        let each = move || {
            let (cache, tags) = (cache.clone(), tags.clone());
            async move { invalidate(&cache, &tags).await }
        };
        let result = each_commit(each, call).await;
        invalidate(self.cache, &self.tags).await;
        // Not before: whoever goes away in the middle of it leaves it to the drop.
        self.tags.clear();
        result
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
