use std::{fmt, future::Future, sync::Arc, time::Duration};

use crate::{
    cache::{Cache as Store, CacheError, CacheStats, CacheValue, Caches, Limit, Lock, RateLimiter},
    service::facade,
};

/// The application's cache.
///
/// ```
/// use std::time::Duration;
/// use paravel::{cache::CacheError, facades::Cache};
///
/// async fn visits() -> Result<i64, CacheError> {
///     Cache::increment("visits", 1).await
/// }
///
/// async fn greeting() -> Result<String, CacheError> {
///     let hour = Duration::from_secs(3600);
///     let greeting = Cache::tags(["texts"])?
///         .remember("greeting", hour, async || Ok::<_, CacheError>("Good day".to_owned()))
///         .await?;
///     Ok(greeting.to_string())
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Cache;

impl Cache {
    /// The cache itself, which is also what others are built with.
    ///
    /// # Errors
    /// [`CacheError::Container`]: there is no application here.
    pub fn default_store() -> Result<Arc<Store>, CacheError> {
        Ok(facade::<Store>()?)
    }

    /// The cache of this name, one that `CACHE_STORES` has.
    ///
    /// # Errors
    /// [`CacheError::Unknown`], [`CacheError::Container`].
    pub fn store(name: &str) -> Result<Store, CacheError> {
        facade::<Caches>()?.named(name).cloned()
    }

    /// [`Store::tags`].
    ///
    /// # Errors
    /// As [`default_store`](Self::default_store).
    pub fn tags<T: AsRef<str>>(tags: impl IntoIterator<Item = T>) -> Result<Store, CacheError> {
        Ok(Self::default_store()?.tags(tags))
    }

    /// [`Store::get`].
    ///
    /// # Errors
    /// As [`Store::get`].
    pub async fn get<T: CacheValue>(key: &str) -> Result<Option<Arc<T>>, CacheError> {
        Self::default_store()?.get(key).await
    }

    /// [`Store::many`].
    ///
    /// # Errors
    /// As [`Store::many`].
    pub async fn many<T: CacheValue>(keys: &[&str]) -> Result<Vec<Option<Arc<T>>>, CacheError> {
        Self::default_store()?.many(keys).await
    }

    /// [`Store::has`].
    ///
    /// # Errors
    /// As [`Store::has`].
    pub async fn has(key: &str) -> Result<bool, CacheError> {
        Self::default_store()?.has(key).await
    }

    /// [`Store::put`].
    ///
    /// # Errors
    /// As [`Store::put`].
    pub async fn put<T: CacheValue>(key: &str, value: T, ttl: Duration) -> Result<(), CacheError> {
        Self::default_store()?.put(key, value, ttl).await
    }

    /// [`Store::forever`].
    ///
    /// # Errors
    /// As [`Store::forever`].
    pub async fn forever<T: CacheValue>(key: &str, value: T) -> Result<(), CacheError> {
        Self::default_store()?.forever(key, value).await
    }

    /// [`Store::add`].
    ///
    /// # Errors
    /// As [`Store::add`].
    pub async fn add<T: CacheValue>(key: &str, value: T, ttl: Duration) -> Result<bool, CacheError> {
        Self::default_store()?.add(key, value, ttl).await
    }

    /// [`Store::pull`].
    ///
    /// # Errors
    /// As [`Store::pull`].
    pub async fn pull<T: CacheValue>(key: &str) -> Result<Option<Arc<T>>, CacheError> {
        Self::default_store()?.pull(key).await
    }

    /// [`Store::forget`].
    ///
    /// # Errors
    /// As [`Store::forget`].
    pub async fn forget(key: &str) -> Result<bool, CacheError> {
        Self::default_store()?.forget(key).await
    }

    /// [`Store::flush`].
    ///
    /// # Errors
    /// As [`Store::flush`].
    pub async fn flush() -> Result<(), CacheError> {
        Self::default_store()?.flush().await
    }

    /// [`Store::invalidate`].
    ///
    /// # Errors
    /// As [`Store::invalidate`].
    pub async fn invalidate<T: AsRef<str>>(tags: impl IntoIterator<Item = T>) -> Result<(), CacheError> {
        Self::default_store()?.invalidate(tags).await
    }

    /// [`Store::touch`].
    ///
    /// # Errors
    /// As [`Store::touch`].
    pub async fn touch(key: &str, ttl: Duration) -> Result<bool, CacheError> {
        Self::default_store()?.touch(key, ttl).await
    }

    /// [`Store::increment`].
    ///
    /// # Errors
    /// As [`Store::increment`].
    pub async fn increment(key: &str, by: i64) -> Result<i64, CacheError> {
        Self::default_store()?.increment(key, by).await
    }

    /// [`Store::remember`].
    ///
    /// # Errors
    /// As [`Store::remember`].
    pub async fn remember<T, E, F, L>(key: &str, ttl: Duration, load: L) -> Result<Arc<T>, E>
    where
        T: CacheValue,
        E: From<CacheError> + Clone + Send + Sync + 'static,
        F: Future<Output = Result<T, E>>,
        L: FnOnce() -> F,
    {
        Self::default_store()?.remember(key, ttl, load).await
    }

    /// [`Store::remember_forever`].
    ///
    /// # Errors
    /// As [`Store::remember_forever`].
    pub async fn remember_forever<T, E, F, L>(key: &str, load: L) -> Result<Arc<T>, E>
    where
        T: CacheValue,
        E: From<CacheError> + Clone + Send + Sync + 'static,
        F: Future<Output = Result<T, E>>,
        L: FnOnce() -> F,
    {
        Self::default_store()?.remember_forever(key, load).await
    }

    /// [`Store::flexible`].
    ///
    /// # Errors
    /// As [`Store::flexible`].
    pub async fn flexible<T, E, F, L>(key: &str, fresh: Duration, stale: Duration, load: L) -> Result<Arc<T>, E>
    where
        T: CacheValue,
        E: From<CacheError> + Clone + fmt::Display + Send + Sync + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
        L: FnOnce() -> F + Send + 'static,
    {
        Self::default_store()?.flexible(key, fresh, stale, load).await
    }

    /// [`Store::lock`].
    ///
    /// # Errors
    /// As [`default_store`](Self::default_store).
    pub fn lock(name: &str, lease: Duration) -> Result<Lock, CacheError> {
        Ok(Self::default_store()?.lock(name, lease))
    }

    /// [`Store::limiter`].
    ///
    /// # Errors
    /// As [`default_store`](Self::default_store).
    pub fn limiter(name: &str, limit: Limit) -> Result<RateLimiter, CacheError> {
        Ok(Self::default_store()?.limiter(name, limit))
    }

    /// [`Store::stats`].
    ///
    /// # Errors
    /// As [`default_store`](Self::default_store).
    pub fn stats() -> Result<CacheStats, CacheError> {
        Ok(Self::default_store()?.stats())
    }
}
