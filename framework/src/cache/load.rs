use std::{fmt, future::Future, sync::Arc, time::Duration};

use tokio::time::Instant;
use uuid::Uuid;

use super::{
    Cache, CacheValue,
    far::{Distant, Far, LEASE, kept_for, versioned},
    flight::Seat,
    inside::{self, Waiting},
    memory::{Found, Lifetime},
    store::{StoreError, Version, When},
    wire::Stored,
};
use crate::{container::spawn, database::in_transaction};

/// How long a loader waits for one of another process before it runs its own: two that wait for each other's keys would never
/// end, and neither process can see that.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a store is asked whether another process has loaded, at first and at last.
const FIRST_LOOK: Duration = Duration::from_millis(5);
const LAST_LOOK: Duration = Duration::from_millis(100);

impl Cache {
    /// The value under a key; where there is none, the one that the loader returns, which is kept for so long. Of callers
    /// that want the same at once, in any process that shares the store, one runs its loader. Inside a transaction it always
    /// runs, and nothing is kept.
    ///
    /// # Errors
    /// The loader's, for all in this process who waited for it. It is not kept.
    pub async fn remember<T, E, F, L>(&self, key: &str, ttl: Duration, load: L) -> Result<Arc<T>, E>
    where
        T: CacheValue,
        E: Clone + Send + Sync + 'static,
        F: Future<Output = Result<T, E>>,
        L: FnOnce() -> F,
    {
        self.find_or_load(key, Some(ttl), load).await
    }

    /// [`remember`](Self::remember), until it is forgotten or has to make room.
    ///
    /// # Errors
    /// As [`remember`](Self::remember).
    pub async fn remember_forever<T, E, F, L>(&self, key: &str, load: L) -> Result<Arc<T>, E>
    where
        T: CacheValue,
        E: Clone + Send + Sync + 'static,
        F: Future<Output = Result<T, E>>,
        L: FnOnce() -> F,
    {
        self.find_or_load(key, None, load).await
    }

    async fn find_or_load<T, E, F, L>(&self, key: &str, whole: Option<Duration>, load: L) -> Result<Arc<T>, E>
    where
        T: CacheValue,
        E: Clone + Send + Sync + 'static,
        F: Future<Output = Result<T, E>>,
        L: FnOnce() -> F,
    {
        // What it reads there may never be committed, and what is kept is not yet what it wrote.
        if in_transaction() {
            return load().await.map(Arc::new);
        }
        match self.find(key).await.any() {
            Some(value) => Ok(value),
            None => self.load(key, Lifetime { whole, fresh: None }, load).await,
        }
    }

    /// [`remember`](Self::remember) for who would rather have an old value than wait: a value is loaded anew once it is
    /// older than `fresh`, and until then, up to the age of `stale`, callers get the old one. Where the loader fails, they go
    /// on to, and the failure is logged.
    ///
    /// # Errors
    /// The loader's, where there was no value at all.
    pub async fn flexible<T, E, F, L>(&self, key: &str, fresh: Duration, stale: Duration, load: L) -> Result<Arc<T>, E>
    where
        T: CacheValue,
        E: Clone + fmt::Display + Send + Sync + 'static,
        F: Future<Output = Result<T, E>> + Send + 'static,
        L: FnOnce() -> F + Send + 'static,
    {
        let lifetime = Lifetime { fresh: Some(fresh), whole: Some(stale.max(fresh)) };
        if in_transaction() {
            return load().await.map(Arc::new);
        }
        match self.find(key).await {
            Found::Fresh(value) => Ok(value),
            Found::Nothing => self.load(key, lifetime, load).await,
            Found::Stale(value) => {
                if !self.shared.flights.is_under_way(&self.local(key)) {
                    let (cache, key) = (self.clone(), key.to_owned());
                    spawn(async move {
                        if let Err(error) = cache.load::<T, E, F, L>(&key, lifetime, load).await {
                            tracing::warn!(key, %error, "a cached value could not be loaded anew, and gets older");
                        }
                    });
                }
                Ok(value)
            }
        }
    }

    /// Loads a value, or waits for whoever does.
    async fn load<T, E, F, L>(&self, key: &str, lifetime: Lifetime, load: L) -> Result<Arc<T>, E>
    where
        T: CacheValue,
        E: Clone + Send + Sync + 'static,
        F: Future<Output = Result<T, E>>,
        L: FnOnce() -> F,
    {
        let key = &*self.local(key);
        let shared = &*self.shared;
        let seat = shared.flights.board(key, || shared.snapshot(&self.tags));
        // Who would wait for itself loads by itself.
        let Some(waiting) = Waiting::for_flight(&seat.flight) else { return load().await.map(Arc::new) };
        let _turn = seat.flight.turn.lock().await;
        drop(waiting);
        match seat.flight.outcome.get() {
            Some(Ok(value)) => {
                if let Ok(value) = Arc::clone(value).downcast() {
                    return Ok(value);
                }
            }
            Some(Err(error)) => {
                if let Some(error) = error.downcast_ref::<E>() {
                    return Err(error.clone());
                }
            }
            // Whoever waits finds the outcome once the turn is given back, whichever way the flight lands.
            None => {
                if let Some(value) = Box::pin(self.loaded_meanwhile(key, &seat)).await {
                    let _ = seat.flight.outcome.set(Ok(Arc::clone(&value) as _));
                    return Ok(value);
                }
                let claim = match &shared.far {
                    Some(far) => Box::pin(self.claim(far, key, lifetime, &seat)).await,
                    None => Claim::Here,
                };
                let loaded = match claim {
                    Claim::Found(value) => Ok(value),
                    claim => self.run(key, lifetime, &seat, claim, load).await,
                };
                let outcome = match &loaded {
                    Ok(value) => Ok(Arc::clone(value) as _),
                    Err(error) => Err(Box::new(error.clone()) as _),
                };
                let _ = seat.flight.outcome.set(outcome);
                return loaded;
            }
        }
        // Who loaded wanted another type under the same key.
        load().await.map(Arc::new)
    }

    /// What another flight brought here between the look for the value and the boarding of this one.
    async fn loaded_meanwhile<T: CacheValue>(&self, key: &str, seat: &Seat<'_>) -> Option<Arc<T>> {
        match self.shared.near()?.look(key) {
            Found::Fresh(value) => {
                seat.land(|| {});
                Some(value)
            }
            _ => None,
        }
    }

    /// Takes the lease of a key, or waits for what its owner loads.
    async fn claim<T: CacheValue>(&self, far: &Arc<Far>, key: &str, lifetime: Lifetime, seat: &Seat<'_>) -> Claim<T> {
        let (owner, tags, began) = (Uuid::new_v4(), far.full_all(&self.tags), Instant::now());
        let mut pause = FIRST_LOOK;
        loop {
            let Ok(begun) = far.begin(key, &tags, lifetime.whole, Some(owner)).await else { return Claim::Nobody };
            // From here on, whichever way this is left.
            let lease =
                begun.leased.then(|| Lease { far: Arc::clone(far), key: key.to_owned(), owner, is_over: false });
            let is_trusted = self.shared.trusted().is_some();
            if let Some(bytes) = begun.entry.as_ref().filter(|_| is_trusted) {
                let known: Vec<_> = tags.iter().map(String::as_str).zip(begun.tags.iter().copied().map(Some)).collect();
                let found = far.read::<T>(key, bytes, &known).await.ok().flatten();
                // An old one is better than waiting for whoever loads it anew.
                if let Some(found) = found.filter(|found| !found.is_stale || !begun.leased) {
                    self.land(key, seat, &found);
                    return Claim::Found(found.value);
                }
            }
            if let Some(lease) = lease {
                return Claim::Leased(lease, tags, begun.tags);
            }
            if !is_trusted || inside::a_load() && began.elapsed() >= PATIENCE {
                return Claim::Nobody;
            }
            tokio::time::sleep(pause).await;
            pause = (2 * pause).min(LAST_LOOK);
        }
    }

    /// Ends a flight with what another process loaded.
    fn land<T: CacheValue>(&self, key: &str, seat: &Seat<'_>, found: &Distant<T>) {
        seat.land(|| {
            if let Some(near) = self.shared.near().filter(|_| found.may_be_near) {
                near.fill(key, Arc::clone(&found.value), seat.flight.tags.clone(), found.lifetime, found.bytes);
            }
        });
    }

    /// Runs the loader, and keeps what it returns where it may be kept.
    async fn run<T, E, F, L>(
        &self,
        key: &str,
        lifetime: Lifetime,
        seat: &Seat<'_>,
        claim: Claim<T>,
        load: L,
    ) -> Result<Arc<T>, E>
    where
        T: CacheValue,
        F: Future<Output = Result<T, E>>,
        L: FnOnce() -> F,
    {
        let started = Instant::now();
        let load = inside::enter(&seat.flight, load());
        let loaded = match &claim {
            Claim::Leased(lease, tags, _) => lease.during(tags, lifetime, load).await,
            _ => load.await,
        };
        self.shared.families.of(key).loaded(started.elapsed());
        let value = match loaded {
            Ok(value) => Arc::new(value),
            Err(error) => {
                seat.land(|| {});
                return Err(error);
            }
        };
        match claim {
            Claim::Here => seat.land(|| {
                if let Some(near) = &self.shared.near {
                    near.put(key, Arc::clone(&value), seat.flight.tags.clone(), lifetime);
                }
            }),
            Claim::Leased(lease, tags, versions) => {
                let put = Box::pin(self.put_leased(key, &*value, lifetime, lease, &tags, &versions));
                let kept = put.await;
                seat.land(|| {
                    if let Some((near, bytes)) = self.shared.near().zip(kept) {
                        near.fill(key, Arc::clone(&value), seat.flight.tags.clone(), lifetime, bytes);
                    }
                });
            }
            Claim::Found(_) | Claim::Nobody => seat.land(|| {}),
        }
        Ok(value)
    }

    /// Puts into the store what was loaded under a lease; how many bytes it took, where it was still wanted and may be kept in
    /// this process as well: a count is the store's alone.
    async fn put_leased<T: CacheValue>(
        &self,
        key: &str,
        value: &T,
        lifetime: Lifetime,
        lease: Lease,
        tags: &[String],
        versions: &[Version],
    ) -> Option<u64> {
        let far = &lease.far;
        let written = far.write(key, value, &versioned(tags, versions), lifetime);
        let bytes = written.inspect_err(|error| tracing::error!(%error, "a loaded value is not kept")).ok()?;
        let kept_for = kept_for(lifetime.whole, tags);
        let kept = far.put(key, &bytes, kept_for, When::Leased(lease.owner)).await.ok()?;
        // The store has ended the lease.
        lease.forget();
        let is_count = Stored::read(&bytes).is_some_and(|stored| stored.is_count());
        (kept && !is_count).then(|| u64::try_from(bytes.len()).unwrap_or(u64::MAX))
    }
}

/// Who may load, and what may be kept of it.
enum Claim<T> {
    /// Another process has loaded it.
    Found(Arc<T>),
    /// This process has the right to, with these tags at these versions.
    Leased(Lease, Vec<String>, Vec<Version>),
    /// There are no other processes to ask.
    Here,
    /// The store cannot say, or somebody takes too long: nothing is kept.
    Nobody,
}

/// The right to load a key's value, for all processes. It ends when it is dropped.
struct Lease {
    far: Arc<Far>,
    key: String,
    owner: Uuid,
    is_over: bool,
}

impl Lease {
    /// Runs a loader, and has the lease go on for as long as it does, and the versions of its tags.
    async fn during<F: Future>(&self, tags: &[String], lifetime: Lifetime, load: F) -> F::Output {
        let full = self.far.full(&self.key);
        let lengthen = async {
            loop {
                tokio::time::sleep(LEASE / 3).await;
                let answer: Result<bool, StoreError> = self.far.store.extend(&full, self.owner, LEASE).await;
                if !tags.is_empty() {
                    let _ = self.far.begin(&self.key, tags, lifetime.whole, None).await;
                }
                // Somebody changed the key: what is being loaded will not be kept.
                if let Ok(false) = answer {
                    return std::future::pending::<()>().await;
                }
            }
        };
        tokio::select! {
            biased;
            loaded = load => loaded,
            () = lengthen => unreachable!("it never ends"),
        }
    }

    /// Leaves it to the store, which has ended it.
    fn forget(mut self) {
        self.is_over = true;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.is_over || tokio::runtime::Handle::try_current().is_err() {
            return;
        }
        let (far, key, owner) = (Arc::clone(&self.far), self.far.full(&self.key), self.owner);
        spawn(async move {
            let _ = far.ask("end a lease", far.store.extend(&key, owner, Duration::ZERO)).await;
        });
    }
}
