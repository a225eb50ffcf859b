//! A store of one's own, with tokio's clock, whose changes can be held up: what a server does in seconds is tried in none.

use std::{
    collections::HashMap,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use futures_util::future::{BoxFuture, FutureExt};
use paravel::{
    cache::{
        Acquired, Begin, Begun, Cache, Changes, Counted, Fetched, LockStore, Put, Store, StoreError, Usage, Version,
        When,
    },
    config::CacheConfig,
    support::{Clock, Env, Timestamp},
};
use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};
use uuid::Uuid;

type Kept<T> = Mutex<HashMap<String, (T, Option<Instant>)>>;

#[derive(Default)]
pub struct Shelf {
    entries: Kept<Vec<u8>>,
    tags: Kept<Version>,
    leases: Kept<Uuid>,
    is_held: AtomicBool,
    held: AtomicUsize,
    released: Notify,
    is_down: AtomicBool,
    began: OnceLock<Instant>,
    following: Mutex<Vec<Weak<dyn Changes>>>,
}

/// The time that has passed by tokio's clock.
struct Passing(Instant);

impl Clock for Passing {
    fn now(&self) -> Timestamp {
        Timestamp::from_unix(1_700_000_000).plus(self.0.elapsed())
    }
}

fn end(ttl: Option<Duration>) -> Option<Instant> {
    ttl.map(|ttl| Instant::now() + ttl)
}

fn get<T: Clone>(kept: &Kept<T>, key: &str) -> Option<T> {
    let kept = kept.lock();
    kept.get(key).filter(|(_, end)| end.is_none_or(|end| end > Instant::now())).map(|(value, _)| value.clone())
}

fn set<T>(kept: &Kept<T>, key: &str, value: T, end: Option<Instant>) {
    kept.lock().insert(key.to_owned(), (value, end));
}

impl Shelf {
    /// A cache over it, as another process would have it.
    pub fn cache(self: &Arc<Self>) -> Cache {
        let config = CacheConfig::from_env(&Env::from_pairs([("CACHE_STORE", "redis")]));
        let clock = Arc::new(Passing(*self.began.get_or_init(Instant::now)));
        Cache::distant("default", &config, Arc::clone(self) as _, clock)
    }

    /// Holds up what would be changed, and does not do it in the end.
    pub fn hold(&self) {
        self.is_held.store(true, SeqCst);
    }

    /// Lets changes be made again: those that are asked for from now on.
    pub fn release(&self) {
        self.is_held.store(false, SeqCst);
        self.released.notify_waiters();
    }

    /// Has it answer nothing, or answer again.
    pub fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, SeqCst);
    }

    /// Tells its caches whether they hear of what others change. It tells them nothing else.
    pub fn set_heard(&self, heard: bool) {
        for changes in self.following.lock().iter().filter_map(Weak::upgrade) {
            changes.heard(heard);
        }
    }

    /// How many were held up.
    pub fn held(&self) -> usize {
        self.held.load(SeqCst)
    }

    /// For how long an entry is kept; nothing where it is for ever.
    pub fn ttl(&self, key: &str) -> Option<Duration> {
        self.entries.lock().get(key).and_then(|(_, end)| Some(end.as_ref()?.duration_since(Instant::now())))
    }

    fn change<'a, T: Send + 'a>(
        &'a self,
        change: impl FnOnce() -> T + Send + 'a,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        async move {
            if self.is_held.load(SeqCst) {
                self.held.fetch_add(1, SeqCst);
                while self.is_held.load(SeqCst) {
                    self.released.notified().await;
                }
                return Err(StoreError::unavailable("it took too long"));
            }
            Ok(change())
        }
        .boxed()
    }
}

impl Store for Shelf {
    fn fetch<'a>(&'a self, keys: &'a [String], tags: &'a [String]) -> BoxFuture<'a, Result<Fetched, StoreError>> {
        async move {
            if self.is_down.load(SeqCst) {
                return Err(StoreError::unavailable("it is down"));
            }
            let entries = keys.iter().map(|key| get(&self.entries, key)).collect();
            Ok(Fetched { entries, tags: tags.iter().map(|tag| get(&self.tags, tag)).collect() })
        }
        .boxed()
    }

    fn begin<'a>(&'a self, begin: Begin<'a>) -> BoxFuture<'a, Result<Begun, StoreError>> {
        async move {
            let mut leased = false;
            if let Some((owner, lasts)) = begin.lease.filter(|_| get(&self.leases, begin.key).is_none()) {
                set(&self.leases, begin.key, owner, end(Some(lasts)));
                leased = true;
            }
            let version = |tag: &String| {
                let version = get(&self.tags, tag).unwrap_or_else(|| *Uuid::new_v4().as_bytes());
                let before = self.tags.lock().get(tag).filter(|(there, _)| *there == version).map(|(_, end)| *end);
                let lasts = match (before, end(begin.ttl)) {
                    (Some(Some(before)), Some(end)) => Some(before.max(end)),
                    (None, end) => end,
                    _ => None,
                };
                set(&self.tags, tag, version, lasts);
                version
            };
            let tags = begin.tags.iter().map(version).collect();
            let entry = get(&self.entries, begin.key);
            Ok(Begun { entry, leased, tags })
        }
        .boxed()
    }

    fn put<'a>(&'a self, put: Put<'a>) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.change(move || {
            let there = get(&self.entries, put.key);
            let holds = match put.when {
                When::Always => true,
                When::Absent => there.is_none(),
                When::Same(same) => there.is_some_and(|there| there == same),
                When::Leased(owner) => get(&self.leases, put.key) == Some(owner),
            };
            if holds {
                self.leases.lock().remove(put.key);
                set(&self.entries, put.key, put.value.to_vec(), end(put.ttl));
            }
            holds
        })
    }

    fn take<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, StoreError>> {
        self.change(move || {
            let there = get(&self.entries, key);
            self.leases.lock().remove(key);
            self.entries.lock().remove(key);
            there
        })
    }

    fn count<'a>(&'a self, key: &'a str, by: i64, ttl: Option<Duration>) -> BoxFuture<'a, Result<Counted, StoreError>> {
        self.change(move || {
            let mut entries = self.entries.lock();
            let (digits, ends) = entries.entry(key.to_owned()).or_insert((b"0".to_vec(), end(ttl)));
            let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse::<i64>().ok());
            let Some(number) = number else { return Counted::Other };
            let Some(sum) = number.checked_add(by) else { return Counted::Overflow };
            *digits = sum.to_string().into_bytes();
            self.leases.lock().remove(key);
            Counted::Sum { sum, expires_in: ends.map(|end| end.duration_since(Instant::now())) }
        })
    }

    fn invalidate<'a>(&'a self, tags: &'a [String]) -> BoxFuture<'a, Result<(), StoreError>> {
        self.change(move || self.tags.lock().retain(|tag, _| !tags.contains(tag)))
    }

    fn flush<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        self.change(move || {
            self.entries.lock().retain(|key, _| !key.starts_with(prefix));
            self.leases.lock().retain(|key, _| !key.starts_with(prefix));
            self.tags.lock().retain(|key, _| !key.starts_with(prefix));
        })
    }

    fn extend<'a>(&'a self, key: &'a str, owner: Uuid, lease: Duration) -> BoxFuture<'a, Result<bool, StoreError>> {
        async move {
            let is_theirs = get(&self.leases, key) == Some(owner);
            if is_theirs {
                set(&self.leases, key, owner, end(Some(lease)));
            }
            Ok(is_theirs)
        }
        .boxed()
    }

    fn usage<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Usage, StoreError>> {
        let entries = self.entries.lock().keys().filter(|key| key.starts_with(prefix)).count();
        async move { Ok(Usage { entries: entries.try_into().unwrap(), bytes: None }) }.boxed()
    }

    fn follow(&self, _: &str, changes: Weak<dyn Changes>) -> bool {
        self.following.lock().push(changes);
        true
    }
}

/// Its caches have no locks.
impl LockStore for Shelf {
    fn acquire<'a>(&'a self, _: &'a str, _: Uuid, _: Duration) -> BoxFuture<'a, Result<Acquired, StoreError>> {
        async { Ok(Acquired::No(Duration::MAX)) }.boxed()
    }

    fn release<'a>(&'a self, _: &'a str, _: Uuid) -> BoxFuture<'a, Result<bool, StoreError>> {
        async { Ok(false) }.boxed()
    }

    fn released(&self) -> BoxFuture<'_, ()> {
        self.released.notified().boxed()
    }
}
