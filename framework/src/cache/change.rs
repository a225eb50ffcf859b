//! What changes entries: putting in, taking out, invalidating. Where there is a store behind this process, what is here goes before
//! the store is told and once more after ([`Due`]).

use std::{future::Future, sync::Arc, time::Duration};

use super::{
    Cache, CacheError, CacheValue,
    far::{Far, kept_for, versioned},
    memory::Lifetime,
    owed::Due,
    store::When,
    wire::Stored,
};
use crate::database::{after_commit, in_transaction};

impl Cache {
    /// Keeps a value for so long. Inside a transaction it waits for the commit.
    ///
    /// # Errors
    /// [`CacheError::NotWritable`]. Where the store fails, the value is not kept, nor any that was there before.
    pub async fn put<T: CacheValue>(&self, key: &str, value: T, ttl: Duration) -> Result<(), CacheError> {
        self.keep(key, value, Some(ttl)).await
    }

    /// Keeps a value until it is forgotten, or has to make room.
    ///
    /// # Errors
    /// As [`put`](Self::put).
    pub async fn forever<T: CacheValue>(&self, key: &str, value: T) -> Result<(), CacheError> {
        self.keep(key, value, None).await
    }

    async fn keep<T: CacheValue>(&self, key: &str, value: T, whole: Option<Duration>) -> Result<(), CacheError> {
        let value = Arc::new(value);
        if in_transaction() {
            let (cache, key) = (self.clone(), key.to_owned());
            return self.at_commit(async move { cache.keep_now(&key, value, whole).await }).await;
        }
        self.keep_now(key, value, whole).await
    }

    async fn keep_now<T: CacheValue>(
        &self,
        key: &str,
        value: Arc<T>,
        whole: Option<Duration>,
    ) -> Result<(), CacheError> {
        let lifetime = Lifetime { whole, fresh: None };
        let Some(far) = &self.shared.far else {
            let Some(near) = &self.shared.near else { return Ok(()) };
            let tags = self.shared.snapshot(&self.tags);
            let mut stripe = self.shared.flights.stripe(key);
            stripe.cancel(key);
            near.put(key, value, tags, lifetime);
            return Ok(());
        };
        let key = &*self.local(key);
        let (full, here) = ([far.full(key)], || self.shared.drop_here(key));
        here();
        // What was there before must not be found once the store is back.
        let due = Due::of(far, &[], &full, here);
        let kept = self.keep_far(far, key, &*value, lifetime, When::Always).await;
        let failed = matches!(kept, Err(CacheError::Store { .. }));
        due.end(!failed);
        if failed { Ok(()) } else { kept.map(drop) }
    }

    pub(super) async fn keep_far<T: CacheValue>(
        &self,
        far: &Far,
        key: &str,
        value: &T,
        lifetime: Lifetime,
        when: When<'_>,
    ) -> Result<bool, CacheError> {
        let tags = far.full_all(&self.tags);
        let versions = match tags.is_empty() {
            true => Vec::new(),
            false => far.begin(key, &tags, lifetime.whole, None).await?.tags,
        };
        let bytes = far.write(key, value, &versioned(&tags, &versions), lifetime)?;
        far.put(key, &bytes, kept_for(lifetime.whole, &tags), when).await
    }

    /// Does it once the transaction that is open here is committed; never, where it is not.
    async fn at_commit<F>(&self, work: F) -> Result<(), CacheError>
    where
        F: Future<Output = Result<(), CacheError>> + Send + 'static,
    {
        let cache = self.name().to_owned();
        let hook = async move {
            if let Err(error) = work.await {
                tracing::error!(cache, %error, "what waited for a commit could not be done in the cache");
            }
        };
        after_commit(hook).await.map(drop).map_err(|error| CacheError::Container(error.into()))
    }

    /// Keeps a value for so long where there is none; whether it did. Of several callers at once, one does.
    ///
    /// # Errors
    /// [`CacheError::Store`], [`CacheError::NotWritable`].
    pub async fn add<T: CacheValue>(&self, key: &str, value: T, ttl: Duration) -> Result<bool, CacheError> {
        let lifetime = Lifetime { whole: Some(ttl), fresh: None };
        let Some(far) = &self.shared.far else {
            let Some(near) = &self.shared.near else { return Ok(true) };
            let tags = self.shared.snapshot(&self.tags);
            let mut stripe = self.shared.flights.stripe(key);
            if near.has(key) {
                return Ok(false);
            }
            stripe.cancel(key);
            near.put(key, Arc::new(value), tags, lifetime);
            return Ok(true);
        };
        let key = &*self.local(key);
        loop {
            let kept = far.peek(key, &self.tags).await?;
            let when = match &kept {
                Some(kept) if kept.is_true => return Ok(false),
                // One that is no longer true is as good as none.
                Some(kept) => When::Same(&kept.bytes),
                None => When::Absent,
            };
            if self.keep_far(far, key, &value, lifetime, when).await? {
                self.shared.drop_here(key);
                return Ok(true);
            }
        }
    }

    /// The value under a key, which is taken out. Of several callers at once, one gets it.
    ///
    /// # Errors
    /// [`CacheError::Store`].
    pub async fn pull<T: CacheValue>(&self, key: &str) -> Result<Option<Arc<T>>, CacheError> {
        let Some(far) = &self.shared.far else {
            let Some(near) = &self.shared.near else { return Ok(None) };
            let mut stripe = self.shared.flights.stripe(key);
            stripe.cancel(key);
            let value = near.get(key).any();
            near.forget(key);
            return Ok(value);
        };
        let key = &*self.local(key);
        self.shared.drop_here(key);
        let bytes = far.ask("take out", far.store.take(&far.full(key))).await?;
        self.shared.drop_here(key);
        let Some(bytes) = bytes else { return Ok(None) };
        Ok(far.read(key, &bytes, &[]).await?.map(|distant| distant.value))
    }

    /// Takes out what is under a key; whether there was anything. What is being loaded for it is not kept. Inside a transaction
    /// it waits for the commit, and answers false.
    ///
    /// # Errors
    /// [`CacheError::Store`]. It is done as soon as the store is back; until then this process uses nothing of it.
    pub async fn forget(&self, key: &str) -> Result<bool, CacheError> {
        if in_transaction() {
            let (cache, key) = (self.clone(), key.to_owned());
            let forget = async move { cache.forget_now(&key).await.map(drop) };
            return self.at_commit(forget).await.map(|()| false);
        }
        self.forget_now(key).await
    }

    async fn forget_now(&self, key: &str) -> Result<bool, CacheError> {
        let Some(far) = &self.shared.far else {
            let mut stripe = self.shared.flights.stripe(key);
            stripe.cancel(key);
            return Ok(self.shared.near.as_ref().is_some_and(|near| near.forget(key)));
        };
        let key = &*self.local(key);
        let (full, here) = ([far.full(key)], || self.shared.drop_here(key));
        here();
        let due = Due::of(far, &[], &full, here);
        let taken = far.ask("forget", far.store.take(&full[0])).await;
        due.end(taken.is_ok());
        match taken?.as_deref().and_then(Stored::read) {
            Some(stored) => far.is_true(&stored, &[]).await,
            None => Ok(false),
        }
    }

    /// Takes everything out that is this cache's own. Locks and limits stay. Inside a transaction it waits for the commit.
    ///
    /// # Errors
    /// As [`forget`](Self::forget).
    pub async fn flush(&self) -> Result<(), CacheError> {
        if in_transaction() {
            let cache = self.clone();
            return self.at_commit(async move { cache.flush_now().await }).await;
        }
        self.flush_now().await
    }

    async fn flush_now(&self) -> Result<(), CacheError> {
        let here = || self.shared.drop_all_here();
        here();
        let Some(far) = &self.shared.far else { return Ok(()) };
        let due = Due::all(far, here);
        let flushed = far.ask("flush", far.store.flush(far.prefix())).await;
        due.end(flushed.is_ok());
        flushed
    }

    /// Lets no entry with one of these tags be found any more, nor any that is being loaded. It takes as long for a million
    /// entries as for one. Inside a transaction it waits for the commit.
    ///
    /// # Errors
    /// As [`forget`](Self::forget).
    pub async fn invalidate<T: AsRef<str>>(&self, tags: impl IntoIterator<Item = T>) -> Result<(), CacheError> {
        let tags: Vec<String> = tags.into_iter().map(|tag| self.local(tag.as_ref()).into_owned()).collect();
        if in_transaction() {
            let cache = self.clone();
            return self.at_commit(async move { cache.invalidate_now(&tags).await }).await;
        }
        self.invalidate_now(&tags).await
    }

    async fn invalidate_now(&self, tags: &[String]) -> Result<(), CacheError> {
        let here = || self.shared.tags.invalidate(tags.iter().map(String::as_str));
        here();
        let Some(far) = &self.shared.far else { return Ok(()) };
        if tags.is_empty() {
            return Ok(());
        }
        let tags = far.full_all(tags);
        let due = Due::of(far, &tags, &[], here);
        let told = far.ask("invalidate", far.store.invalidate(&tags)).await;
        due.end(told.is_ok());
        told
    }

    /// Lets the value under a key be kept for so long from now, whole and fresh; whether there is one.
    ///
    /// # Errors
    /// [`CacheError::Store`].
    pub async fn touch(&self, key: &str, ttl: Duration) -> Result<bool, CacheError> {
        let Some(far) = &self.shared.far else {
            let Some(near) = &self.shared.near else { return Ok(false) };
            let _stripe = self.shared.flights.stripe(key);
            return Ok(near.touch(key, Some(ttl)));
        };
        let key = &*self.local(key);
        loop {
            let Some(kept) = far.peek(key, &self.tags).await?.filter(|kept| kept.is_true) else { return Ok(false) };
            let Some(stored) = Stored::read(&kept.bytes) else { return Ok(false) };
            let ends = far.ends(Lifetime { whole: Some(ttl), fresh: None });
            let touched = stored.ending(&kept.bytes, ends);
            let tags: Vec<_> = stored.tags.iter().map(|(tag, _)| (*tag).to_owned()).collect();
            if !tags.is_empty() {
                // Its tags' versions have to last as long as it does.
                far.begin(key, &tags, Some(ttl), None).await?;
            }
            if far.put(key, &touched, Some(ttl), When::Same(&kept.bytes)).await? {
                self.shared.drop_here(key);
                return Ok(true);
            }
        }
    }
}
