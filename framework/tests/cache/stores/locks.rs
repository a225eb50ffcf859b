use std::time::Duration;

use futures_util::future::join_all;
use paravel::cache::{Attempt, CacheError, Limit};

use super::{
    super::{HOUR, locks::one_is_inside},
    stand::{Stand, until},
};

pub async fn a_lock_has_one_owner(stand: Stand) {
    let cache = stand.cache().await;
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
    one_is_inside(&stand.cache().await, 4, 4).await;
}

pub async fn a_limit_lets_so_much_through_and_no_more(stand: Stand) {
    let limiter = stand.cache().await.limiter("logins", Limit::per_hour(5));
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
    stand.cache().await.flush().await.unwrap();
    limiter.clear("ada").await.unwrap();
    assert_eq!(limiter.attempt("ada").await.unwrap(), Attempt::Allowed { remaining: 4 });
}

pub async fn limits_of_other_names_and_keys_are_others(stand: Stand) {
    let cache = stand.cache().await;
    let (one, other) = (cache.limiter("a:b", Limit::per_hour(1)), cache.limiter("a", Limit::per_hour(1)));
    assert!(one.attempt("c").await.unwrap().is_allowed());
    assert!(other.attempt("b:c").await.unwrap().is_allowed());
    one.clear("c").await.unwrap();
    assert!(!other.attempt("b:c").await.unwrap().is_allowed(), "it is not the other's to clear");
    assert!(one.attempt("c").await.unwrap().is_allowed());
}

pub async fn a_look_at_a_limit_begins_no_window(stand: Stand) {
    let cache = stand.cache().await;
    assert_eq!(cache.limiter("looks", Limit::per_hour(1)).remaining("ada").await.unwrap(), 1);
    let limiter = cache.limiter("looks", Limit::per_minute(1));
    assert!(limiter.attempt("ada").await.unwrap().is_allowed());
    let refused = limiter.attempt("ada").await.unwrap();
    assert!(
        matches!(refused, Attempt::Refused { retry_after } if retry_after <= Duration::from_secs(60)),
        "{refused:?}"
    );
}

pub async fn a_limit_begins_anew_with_its_window(stand: Stand) {
    let limiter = stand.cache().await.limiter("logins", Limit::of(1, Duration::from_millis(60)));
    assert!(limiter.attempt("ada").await.unwrap().is_allowed());
    until(async || limiter.attempt("ada").await.unwrap().is_allowed()).await;
}
