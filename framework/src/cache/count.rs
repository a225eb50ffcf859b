//! Numbers that many add to.

use std::{sync::Arc, time::Duration};

use super::{
    Cache, CacheError, Limit, Lock, RateLimiter,
    far::Far,
    memory::Lifetime,
    store::{Counted, When},
};
impl Cache {
    /// Adds to the number under a key, from 0 where there is none, and returns the sum. It stays for as long as it would
    /// have; a new one stays until it is forgotten.
    ///
    /// # Errors
    /// [`CacheError::NotANumber`], [`CacheError::Overflow`], [`CacheError::Store`].
    pub async fn increment(&self, key: &str, by: i64) -> Result<i64, CacheError> {
        let Some(far) = &self.shared.far else {
            let Some(near) = &self.shared.near else { return Ok(by) };
            let tags = self.shared.snapshot(&self.tags);
            let mut stripe = self.shared.flights.stripe(key);
            stripe.cancel(key);
            return near.increment(key, by, tags, Lifetime::default()).map(|(sum, _)| sum);
        };
        let key = &*self.local(key);
        self.shared.drop_here(key);
        if self.tags.is_empty() {
            let counted = far.ask("count", far.store.count(&far.full(key), by, None)).await?;
            self.shared.drop_here(key);
            match counted {
                Counted::Sum { sum, .. } => return Ok(sum),
                Counted::Overflow => return Err(CacheError::Overflow { key: key.to_owned() }),
                Counted::Other => {}
            }
        }
        self.increment_tagged(far, key, by).await
    }

    /// A number that has tags, or had, is put in anew for as long as nobody else does.
    async fn increment_tagged(&self, far: &Far, key: &str, by: i64) -> Result<i64, CacheError> {
        loop {
            let kept = far.peek(key, &self.tags).await?;
            let (number, lifetime) = match kept.as_ref().filter(|kept| kept.is_true) {
                Some(kept) => {
                    let number = far.read::<i64>(key, &kept.bytes, &[]).await?;
                    let number = number.ok_or_else(|| CacheError::NotANumber { key: key.to_owned() })?;
                    (*number.value, Lifetime { whole: number.lifetime.whole, fresh: None })
                }
                None => (0, Lifetime::default()),
            };
            let sum = number.checked_add(by).ok_or_else(|| CacheError::Overflow { key: key.to_owned() })?;
            let when = kept.as_ref().map_or(When::Absent, |kept| When::Same(&kept.bytes));
            if self.keep_far(far, key, &sum, lifetime, when).await? {
                self.shared.drop_here(key);
                return Ok(sum);
            }
        }
    }

    /// Adds to a count that no tag and no [`flush`](Self::flush) of a store in this process touches; a new one is kept for
    /// `window`. Also for how long it still is.
    pub(super) async fn tally(&self, key: &str, by: i64, window: Duration) -> Result<(i64, Duration), CacheError> {
        let (sum, expires_in) = match &self.shared.far {
            None => return Ok(self.shared.counts.add(key, by, window)),
            Some(far) => {
                let full = far.lock_name(key);
                match far.ask("count", far.store.count(&full, by, Some(window))).await? {
                    Counted::Sum { sum, expires_in } => (sum, expires_in),
                    Counted::Overflow => return Err(CacheError::Overflow { key: key.to_owned() }),
                    Counted::Other => return Err(CacheError::NotANumber { key: key.to_owned() }),
                }
            }
        };
        Ok((sum, expires_in.unwrap_or(window)))
    }

    /// What such a count is at; 0 where there is none.
    pub(super) async fn tallied(&self, key: &str) -> Result<i64, CacheError> {
        let Some(far) = &self.shared.far else { return Ok(self.shared.counts.get(key)) };
        let full = [far.lock_name(key)];
        let count = far.ask("get", far.store.fetch(&full, &[])).await?.entries.pop().flatten();
        let count = count.map(|digits| String::from_utf8(digits).ok().and_then(|digits| digits.parse().ok()));
        count.unwrap_or(Some(0)).ok_or_else(|| CacheError::NotANumber { key: key.to_owned() })
    }

    /// Begins a count anew.
    pub(super) async fn clear_tally(&self, key: &str) -> Result<(), CacheError> {
        match &self.shared.far {
            None => self.shared.counts.forget(key),
            Some(far) => drop(far.ask("forget", far.store.take(&far.lock_name(key))).await?),
        }
        Ok(())
    }

    /// The lock of this name, not yet taken, which falls open `lease` after it was.
    pub fn lock(&self, name: &str, lease: Duration) -> Lock {
        let full = match &self.shared.far {
            Some(far) => far.lock_name(name),
            None => name.to_owned(),
        };
        Lock::new(Arc::clone(&self.shared.locks), self.name(), name, &full, lease)
    }

    /// What lets so much happen and no more, by key; each limiter of this name counts the same.
    pub fn limiter(&self, name: &str, limit: Limit) -> RateLimiter {
        RateLimiter::new(self.clone(), name, limit)
    }
}
