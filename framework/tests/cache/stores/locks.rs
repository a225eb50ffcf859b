use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use futures_util::future::join_all;
use paravel::cache::{Attempt, CacheError, Limit};

use super::{
    super::HOUR,
    stand::{Stand, until},
};

pub async fn a_lock_has_one_owner(stand: Stand) {
    let cache = stand.cache();
    let (one, other) = (cache.lock("reports", HOUR), cache.lock("reports", HOUR));
    assert!(one.acquire().await.unwrap());
    assert!(one.acquire().await.unwrap(), "its owner begins a new lease");
    assert!(!other.acquire().await.unwrap() && !other.release().await.unwrap());
    let refused = other.block(Duration::from_millis(5)).await.unwrap_err();
    assert!(matches!(refused, CacheError::Locked { name, .. } if name == "reports"));
    assert!(cache.lock("others", HOUR).acquire().await.unwrap());
    assert!(cache.lock("reports", HOUR).of_owner(one.owner()).release().await.unwrap());
    assert!(!one.release().await.unwrap());
    // It falls open when its lease is over.
    let short = cache.lock("reports", Duration::from_millis(30));
    assert!(short.acquire().await.unwrap());
    other.block(Duration::from_secs(20)).await.unwrap();
    assert!(!short.release().await.unwrap(), "it has lost it");
}

pub async fn of_many_at_once_one_is_inside(stand: Stand) {
    let (cache, inside, turns) = (stand.cache(), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let tasks = join_all((0..4).map(|_| {
        let (cache, inside, turns) = (cache.clone(), Arc::clone(&inside), Arc::clone(&turns));
        paravel::spawn(async move {
            for _ in 0..4 {
                let lock = cache.lock("reports", HOUR);
                lock.block(Duration::from_secs(60)).await.unwrap();
                assert_eq!(inside.fetch_add(1, SeqCst), 0);
                tokio::task::yield_now().await;
                inside.fetch_sub(1, SeqCst);
                turns.fetch_add(1, SeqCst);
                assert!(lock.release().await.unwrap());
            }
        })
    }));
    tasks.await.into_iter().for_each(Result::unwrap);
    assert_eq!(turns.load(SeqCst), 16);
}

pub async fn a_limit_lets_so_much_through_and_no_more(stand: Stand) {
    let limiter = stand.cache().limiter("logins", Limit::per_hour(5));
    assert_eq!(limiter.remaining("ada").await.unwrap(), 5);
    let attempts = join_all((0..12).map(|_| {
        let limiter = limiter.clone();
        paravel::spawn(async move { limiter.attempt("ada").await.unwrap() })
    }));
    let attempts: Vec<_> = attempts.await.into_iter().map(Result::unwrap).collect();
    assert_eq!(attempts.iter().filter(|attempt| attempt.is_allowed()).count(), 5);
    let hour = Duration::from_secs(3600);
    let long = |wait: Duration| wait <= hour && wait > hour / 2;
    assert!(attempts.iter().all(|attempt| match attempt {
        Attempt::Refused { retry_after } => long(*retry_after),
        Attempt::Allowed { remaining } => *remaining < 5,
    }));
    assert_eq!(limiter.remaining("ada").await.unwrap(), 0);
    assert!(limiter.attempt("bob").await.unwrap().is_allowed());
    // What is cached is one thing, and what is counted another.
    stand.cache().flush().await.unwrap();
    limiter.clear("ada").await.unwrap();
    assert_eq!(limiter.attempt("ada").await.unwrap(), Attempt::Allowed { remaining: 4 });
}

pub async fn a_limit_begins_anew_with_its_window(stand: Stand) {
    let limiter = stand.cache().limiter("logins", Limit::of(1, Duration::from_millis(60)));
    assert!(limiter.attempt("ada").await.unwrap().is_allowed());
    until(async || limiter.attempt("ada").await.unwrap().is_allowed()).await;
}
