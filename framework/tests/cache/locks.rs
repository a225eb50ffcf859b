use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use paravel::cache::{Cache, CacheError};
use tokio::time::{Instant, advance};

use super::cache;

const LEASE: Duration = Duration::from_secs(10);

#[tokio::test(start_paused = true)]
async fn a_lock_has_one_owner_until_it_is_released_or_its_lease_is_over() {
    let cache = cache();
    let (one, other) = (cache.lock("reports", LEASE), cache.lock("reports", LEASE));
    assert!(one.acquire().await.unwrap());
    assert!(one.acquire().await.unwrap(), "its owner begins a new lease");
    assert!(!other.acquire().await.unwrap());
    assert!(!other.release().await.unwrap(), "it is somebody else's");
    assert!(cache.lock("others", LEASE).acquire().await.unwrap());
    assert!(one.release().await.unwrap());
    assert!(!one.release().await.unwrap());
    assert!(other.acquire().await.unwrap());
    advance(LEASE).await;
    assert!(one.acquire().await.unwrap());
    assert!(!other.release().await.unwrap(), "it has lost it");
    // Another process that knows the owner may release it.
    assert!(cache.lock("reports", LEASE).of_owner(one.owner()).release().await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn who_waits_gets_it_when_it_is_released_or_its_lease_ends_and_else_an_error() {
    let cache = cache();
    let held = cache.lock("reports", LEASE);
    held.acquire().await.unwrap();
    let started = Instant::now();
    let error = cache.lock("reports", LEASE).block(Duration::from_secs(3)).await.unwrap_err();
    assert!(matches!(error, CacheError::Locked { name, waited } if name == "reports" && waited.as_secs() == 3));
    cache.lock("reports", LEASE).block(Duration::from_secs(30)).await.unwrap();
    assert_eq!(started.elapsed(), LEASE);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_one_is_inside() {
    one_is_inside(&cache(), 16, 50).await;
}

/// Has so many take a lock so often, and looks whether there is ever more than one who has it.
pub async fn one_is_inside(cache: &Cache, many: usize, turns: usize) {
    let (inside, taken) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let tasks = (0..many).map(|_| {
        let (cache, inside, taken) = (cache.clone(), Arc::clone(&inside), Arc::clone(&taken));
        paravel::spawn(async move {
            for _ in 0..turns {
                let lock = cache.lock("reports", Duration::from_secs(3600));
                lock.block(Duration::from_secs(60)).await.unwrap();
                assert_eq!(inside.fetch_add(1, SeqCst), 0);
                tokio::task::yield_now().await;
                inside.fetch_sub(1, SeqCst);
                taken.fetch_add(1, SeqCst);
                assert!(lock.release().await.unwrap());
            }
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await.unwrap();
    }
    assert_eq!(taken.load(SeqCst), many * turns);
}
