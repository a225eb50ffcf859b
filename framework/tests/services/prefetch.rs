//! Many values of a cached method at once.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use paravel::{
    cache::Cache,
    container::{ContainerBuilder, ContainerError},
    database::DbError,
    service,
    service::{CacheSlot, prefetch},
};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::{cache::stores::shelf::Shelf, database::with_ships};

#[derive(Debug, Clone)]
struct Torn;

#[service]
trait Berths {
    #[cached(key = "berths:{berth}", ttl = "30m", tags("berths", "berths:{berth}"))]
    async fn ship(&self, berth: u32) -> Result<Option<String>, ContainerError>;
    /// Whether there is one, or nobody knows.
    #[cached(key = "known:{berth}", ttl = "30m", keep_none, when = *berth < 3)]
    async fn known(&self, berth: &u32) -> Result<Option<bool>, ContainerError>;
}

fn slot(berth: &u32) -> CacheSlot<Option<String>> {
    <dyn Berths>::cached_ship(*berth)
}

/// Ships by berth. Notes what it is asked for.
#[derive(Default)]
struct Harbour {
    ships: Mutex<BTreeMap<u32, String>>,
    asked: Mutex<Vec<Vec<u32>>>,
    begun: Notify,
    gate: Notify,
}

impl Harbour {
    fn of(berths: impl IntoIterator<Item = u32>) -> Self {
        let ships = berths.into_iter().map(|berth| (berth, format!("ship {berth}"))).collect();
        Self { ships: Mutex::new(ships), ..Self::default() }
    }

    async fn ships(&self, berths: Vec<u32>) -> Result<Vec<(u32, Option<String>)>, DbError> {
        let ships = self.ships.lock();
        let found = berths.iter().filter_map(|berth| Some((*berth, Some(ships.get(berth)?.clone()))));
        let found = found.collect();
        self.asked.lock().push(berths);
        Ok(found)
    }

    fn asked(&self) -> Vec<Vec<u32>> {
        std::mem::take(&mut *self.asked.lock())
    }
}

#[service]
impl Berths for Harbour {
    async fn ship(&self, berth: u32) -> Result<Option<String>, ContainerError> {
        self.asked.lock().push(vec![berth]);
        Ok(self.ships.lock().get(&berth).cloned())
    }

    async fn known(&self, berth: &u32) -> Result<Option<bool>, ContainerError> {
        Ok(self.ships.lock().contains_key(berth).then_some(true))
    }
}

async fn kept(cache: &Cache, berth: u32) -> Option<String> {
    cache.get::<Option<String>>(&format!("berths:{berth}")).await.unwrap().and_then(|ship| Option::clone(&ship))
}

#[test]
fn a_slot_is_what_the_attribute_says() {
    let slot = slot(&7);
    assert_eq!((slot.key.as_str(), slot.ttl), ("berths:7", Duration::from_secs(1800)));
    assert_eq!(slot.tags, ["berths", "berths:7"]);
}

#[tokio::test]
async fn the_method_finds_what_was_prefetched() {
    let harbour = Arc::new(Harbour::of(1..=3));
    let mut app = ContainerBuilder::new();
    app.instance(Arc::new(Cache::memory("berths", 1 << 20)));
    app.instance::<dyn Berths>(Arc::clone(&harbour) as _);
    app.decorate::<dyn Berths>().cached();
    let app = app.freeze().unwrap();
    let (cache, berths) = (app.make::<Cache>().unwrap(), app.make::<dyn Berths>().unwrap());
    prefetch(&cache, 1..=2, slot, |berths| harbour.ships(berths)).await.unwrap();
    harbour.asked();
    for berth in 1..=3 {
        assert_eq!(berths.ship(berth).await.unwrap(), Some(format!("ship {berth}")));
    }
    assert_eq!(harbour.asked(), [[3]]);
}

#[tokio::test]
async fn what_is_missing_is_loaded_at_once_and_kept_as_the_method_keeps_it() {
    let (cache, harbour) = (Cache::memory("berths", 1 << 20), Harbour::of(1..=3));
    assert_eq!(prefetch(&cache, [1, 2, 9, 2], slot, |berths| harbour.ships(berths)).await.unwrap(), 2);
    assert_eq!(harbour.asked(), [[1, 2, 9]], "each once");
    assert_eq!(kept(&cache, 1).await.as_deref(), Some("ship 1"));
    assert_eq!(kept(&cache, 9).await, None);
    assert_eq!(prefetch(&cache, 1..=3, slot, |berths| harbour.ships(berths)).await.unwrap(), 1);
    assert_eq!(harbour.asked(), [[3]], "what is kept is not loaded");
    cache.invalidate(["berths:1"]).await.unwrap();
    assert_eq!(kept(&cache, 1).await, None);
    assert_eq!(kept(&cache, 2).await.as_deref(), Some("ship 2"));
    prefetch(&cache, [], slot, |berths| harbour.ships(berths)).await.unwrap();
    assert!(harbour.asked().is_empty());
}

#[tokio::test]
async fn what_the_method_would_not_keep_is_not_kept() {
    let cache = Cache::memory("berths", 1 << 20);
    let none = async |berths: Vec<u32>| Ok::<_, DbError>(berths.into_iter().map(|berth| (berth, None)).collect());
    assert_eq!(prefetch(&cache, 1..=3, slot, none).await.unwrap(), 3);
    assert_eq!(cache.stats().entries, 0, "`ship` keeps no `None`");
    let asked = Mutex::new(Vec::new());
    let known = async |berths: Vec<u32>| {
        asked.lock().extend(berths.clone());
        Ok::<_, DbError>(berths.into_iter().map(|berth| (berth, None)).collect())
    };
    prefetch(&cache, 1..=5, <dyn Berths>::cached_known, known).await.unwrap();
    assert_eq!((cache.stats().entries, asked.into_inner()), (2, vec![1, 2]), "`known` does, of the first");
    assert_eq!(Harbour::of([1]).known(&1).await.unwrap(), Some(true));
    assert_eq!(cache.get::<Option<bool>>("known:2").await.unwrap().as_deref(), Some(&None));
}

#[tokio::test(start_paused = true)]
async fn what_takes_long_to_load_is_kept_in_a_store_that_processes_share() {
    let shelf: Arc<Shelf> = Arc::default();
    let (cache, harbour) = (shelf.cache(), Harbour::of(1..=3));
    let slowly = async |berths| {
        tokio::time::sleep(Duration::from_secs(60)).await;
        harbour.ships(berths).await
    };
    assert_eq!(prefetch(&cache, 1..=3, slot, slowly).await.unwrap(), 3);
    for berth in 1..=3 {
        assert_eq!(kept(&shelf.cache(), berth).await, Some(format!("ship {berth}")), "by another process");
    }
}

#[tokio::test]
async fn what_is_changed_meanwhile_is_not_kept() {
    let (cache, harbour) = (Cache::memory("berths", 1 << 20), Harbour::of(1..=3));
    let load = async |berths| {
        let ships = harbour.ships(berths).await;
        harbour.begun.notify_one();
        harbour.gate.notified().await;
        ships
    };
    let change = async {
        harbour.begun.notified().await;
        cache.invalidate(["berths:2"]).await.unwrap();
        harbour.gate.notify_one();
    };
    let (loaded, ()) = tokio::join!(prefetch(&cache, 1..=3, slot, load), change);
    assert_eq!(loaded.unwrap(), 3);
    assert_eq!(kept(&cache, 1).await.as_deref(), Some("ship 1"));
    assert_eq!(kept(&cache, 2).await, None, "it was loaded before the change");
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_loads_keeps_the_rest_for_a_moment_only() {
    let (cache, harbour) = (Cache::memory("berths", 1 << 20), Harbour::of(1..=2));
    let others = async || {
        harbour.begun.notify_one();
        harbour.gate.notified().await;
        Ok::<_, Torn>(Some("another".to_owned()))
    };
    let other = cache.remember("berths:1", Duration::from_secs(60), others);
    let fetch = async {
        harbour.begun.notified().await;
        prefetch(&cache, [1, 2], slot, |berths| harbour.ships(berths)).await.unwrap()
    };
    let release = async {
        // Two who wait for each other would not get here.
        while harbour.asked.lock().is_empty() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        harbour.gate.notify_one();
    };
    let (first, fetched, ()) = tokio::join!(other, fetch, release);
    assert_eq!((first.unwrap().as_deref(), fetched), (Some("another"), 1));
    assert_eq!(harbour.asked(), [[2]]);
}

#[tokio::test]
async fn an_error_ends_it_and_nothing_is_kept() {
    let cache = Cache::memory("berths", 1 << 20);
    let fails = async |_: Vec<u32>| Err::<Vec<(u32, Option<String>)>, _>(DbError::Closed);
    assert!(matches!(prefetch(&cache, 1..=3, slot, fails).await, Err(DbError::Closed)));
    assert_eq!(kept(&cache, 1).await, None);
    assert_eq!(cache.stats().loading, 0);
}

#[tokio::test]
async fn in_a_transaction_nothing_is_loaded() {
    let (cache, harbour) = (Cache::memory("berths", 1 << 20), Arc::new(Harbour::of(1..=3)));
    let (db, app) = (with_ships(&[]).await, ContainerBuilder::new().freeze().unwrap());
    let (inside, asked) = (cache.clone(), Arc::clone(&harbour));
    let fetch = db.write(async move |_| prefetch(&inside, 1..=3, slot, |berths| asked.ships(berths)).await);
    assert_eq!(app.run(fetch).await.unwrap(), 0);
    assert!(harbour.asked().is_empty());
}
