//! A cache that keeps nothing: its locks and limits are what they are elsewhere, in this process.

use std::time::Duration;

use paravel::cache::{Attempt, Cache, CacheError, Limit};

use super::{HOUR, stores::transactions::within};

#[tokio::test]
async fn nothing_is_kept_and_everything_loaded() {
    let cache = Cache::null("none");
    cache.put("a", 1, HOUR).await.unwrap();
    assert_eq!(cache.get::<i32>("a").await.unwrap(), None);
    for number in 0..3 {
        let value = cache.remember("a", HOUR, async || Ok::<_, CacheError>(number)).await.unwrap();
        assert_eq!(*value, number);
        assert!(cache.add("a", number, HOUR).await.unwrap(), "there is none");
        assert_eq!(cache.increment("visits", 2).await.unwrap(), 2, "from 0 each time");
    }
    assert_eq!(cache.pull::<i32>("a").await.unwrap(), None);
    assert!(!cache.has("a").await.unwrap() && !cache.touch("a", HOUR).await.unwrap());
    assert!(!cache.forget("a").await.unwrap());
    cache.invalidate(["t"]).await.unwrap();
    cache.flush().await.unwrap();
    assert_eq!(cache.prune().await.unwrap(), 0);
    assert_eq!((cache.stats().entries, cache.stats().hit_rate), (0, None));
}

#[tokio::test(start_paused = true)]
async fn its_locks_and_limits_hold_in_the_process() {
    let (cache, minute) = (Cache::null("none"), Duration::from_secs(60));
    let (one, other) = (cache.lock("reports", minute), cache.clone().lock("reports", minute));
    assert!(one.acquire().await.unwrap() && !other.acquire().await.unwrap());
    assert!(one.release().await.unwrap() && other.acquire().await.unwrap());
    let limiter = cache.limiter("logins", Limit::per_minute(2));
    for remaining in [1, 0] {
        assert_eq!(limiter.attempt("ada").await.unwrap(), Attempt::Allowed { remaining });
    }
    assert_eq!(limiter.attempt("ada").await.unwrap(), Attempt::Refused { retry_after: minute });
    cache.flush().await.unwrap();
    assert!(!limiter.attempt("ada").await.unwrap().is_allowed());
    tokio::time::advance(minute).await;
    assert!(limiter.attempt("ada").await.unwrap().is_allowed());
}

#[tokio::test]
async fn in_a_transaction_it_loads_and_its_locks_hold_though_it_is_rolled_back() {
    let cache = Cache::null("none");
    let (inside, lock) = (cache.clone(), cache.lock("reports", HOUR));
    let taken = lock.clone();
    within(None, false, async move {
        inside.put("a", 1, HOUR).await.unwrap();
        assert_eq!(*inside.remember("a", HOUR, async || Ok::<_, CacheError>(2)).await.unwrap(), 2);
        assert!(inside.add("a", 3, HOUR).await.unwrap() && taken.acquire().await.unwrap());
    })
    .await;
    assert_eq!(cache.get::<i32>("a").await.unwrap(), None);
    assert!(!cache.lock("reports", HOUR).acquire().await.unwrap() && lock.release().await.unwrap());
}
