//! A tier in this process before Redis, on a server of the test's own: what is here is never older than what can be heard of.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use paravel::{
    cache::{Begin, Cache, CacheError, Limit, Put, RedisStore, Store, When},
    config::CacheConfig,
    support::{Env, SystemClock},
};
use tokio::time::Instant;
use uuid::Uuid;

use super::{super::HOUR, stand::until};
use crate::redis::OwnServer;

/// Two caches as two processes would have them, under one prefix.
fn two(server: &OwnServer, tiered: bool) -> [Cache; 2] {
    let config = CacheConfig::from_env(&Env::from_pairs([("CACHE_STORE", "tiered")]));
    [(); 2].map(|()| {
        let redis = server.redis(&[("REDIS_PREFIX", "test:"), ("REDIS_TIMEOUT", "200ms")]);
        let store = Arc::new(RedisStore::new(Arc::new(redis)));
        match tiered {
            true => Cache::tiered("default", &config, store, Arc::new(SystemClock)),
            false => Cache::distant("default", &config, store, Arc::new(SystemClock)),
        }
    })
}

fn calls(cache: &Cache) -> u64 {
    cache.stats().store.unwrap().calls
}

/// Waits until a value is here.
async fn is_near(cache: &Cache, key: &str) {
    until(async || {
        cache.get::<u8>(key).await.unwrap();
        let before = calls(cache);
        cache.get::<u8>(key).await.unwrap().is_some() && calls(cache) == before
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_here_is_given_out_until_it_changes_anywhere() {
    let Some(server) = OwnServer::up().await else { return };
    let [one, other] = two(&server, true);
    for change in ["put", "forget", "invalidate", "flush", "pull", "touch", "add", "count"] {
        one.tags(["t"]).put("a", 1_u8, HOUR).await.unwrap();
        is_near(&other.tags(["t"]), "a").await;
        let began = Instant::now();
        match change {
            "put" => one.put("a", 2_u8, HOUR).await.unwrap(),
            "forget" => assert!(one.forget("a").await.unwrap()),
            "invalidate" => one.invalidate(["t"]).await.unwrap(),
            "flush" => one.flush().await.unwrap(),
            "pull" => assert!(one.pull::<u8>("a").await.unwrap().is_some()),
            "touch" => assert!(one.touch("a", Duration::ZERO).await.unwrap()),
            "add" => {
                one.forget("a").await.unwrap();
                assert!(one.add("a", 2_u8, HOUR).await.unwrap());
            }
            _ => {
                one.forget("a").await.unwrap();
                assert_eq!(one.increment("a", 5).await.unwrap(), 5);
            }
        }
        until(async || other.get::<u8>("a").await.unwrap().as_deref() != Some(&1)).await;
        println!("{change} was heard of after {:?} at most", began.elapsed());
        one.forget("a").await.unwrap();
    }
}

#[tokio::test]
async fn what_was_being_loaded_before_a_flush_is_not_there_after_it() {
    let Some(redis) = crate::redis::shared() else { return };
    let (store, names) = (RedisStore::new(Arc::new(redis)), |number: usize| format!("default:1:{number}"));
    // More than a step of the walk, and what makes the walk longer.
    let filler = (0..10).map(|part| {
        let store = &store;
        async move {
            for number in 0..500 {
                let key = format!("default:1:filler {part} {number}");
                store.put(Put { key: &key, value: b"1", ttl: Some(HOUR), when: When::Always }).await.unwrap();
            }
        }
    });
    join_all(filler).await;
    for _ in 0..3 {
        let keys: Vec<_> = (0..1000).map(names).collect();
        let owner = Uuid::new_v4();
        for key in &keys {
            let lease = Some((owner, HOUR));
            assert!(store.begin(Begin { key, tags: &[], ttl: Some(HOUR), lease }).await.unwrap().leased);
        }
        let puts = keys.chunks(50).map(|keys| {
            let store = &store;
            async move {
                for key in keys {
                    store.put(Put { key, value: b"1", ttl: Some(HOUR), when: When::Leased(owner) }).await.unwrap();
                }
            }
        });
        let (flushed, _) = tokio::join!(store.flush("default:1:"), join_all(puts));
        flushed.unwrap();
        assert_eq!(store.usage("default:1:").await.unwrap().entries, 0);
    }
}

#[test]
fn what_is_here_is_not_trusted_once_nobody_listens_any_more() {
    let runtime = || tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let (first, second) = (runtime(), runtime());
    let Some(server) = first.block_on(OwnServer::up()) else { return };
    let hears = |cache: &Cache| cache.stats().store.unwrap().hears;
    let [one, other] = two(&server, true);
    first.block_on(async {
        one.put("a", 1_u8, HOUR).await.unwrap();
        is_near(&one, "a").await;
    });
    assert!(hears(&one));
    // It takes the task that listens with it.
    drop(first);
    assert!(!hears(&one));
    second.block_on(async {
        other.put("a", 2_u8, HOUR).await.unwrap();
        until(async || one.get::<u8>("a").await.unwrap().as_deref() == Some(&2)).await;
        // Somebody listens again.
        is_near(&one, "a").await;
        assert!(hears(&one));
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_here_goes_when_nothing_is_heard_any_more() {
    let Some(mut server) = OwnServer::up().await else { return };
    let [cache, _] = two(&server, true);
    cache.put("a", 1_u8, HOUR).await.unwrap();
    is_near(&cache, "a").await;
    server.kill();
    let began = Instant::now();
    until(async || cache.stats().entries == 0).await;
    println!("the tier was empty {:?} after the server had gone", began.elapsed());
    // Nothing is kept, and nobody gets an error.
    for number in [2_u8, 3] {
        assert_eq!(*cache.remember("a", HOUR, async || Ok::<_, CacheError>(number)).await.unwrap(), number);
    }
    assert!(matches!(cache.lock("l", HOUR).acquire().await, Err(CacheError::Store { .. })));
    let limiter = cache.limiter("logins", Limit::per_hour(9));
    assert!(matches!(limiter.attempt("ada").await, Err(CacheError::Store { .. })));
    // It comes back by itself, with a server that knows nothing any more: no script either.
    server.start(&[]).await;
    until(async || cache.put("a", 4_u8, HOUR).await.is_ok() && cache.has("a").await.unwrap()).await;
    is_near(&cache, "a").await;
    assert!(cache.lock("l", HOUR).acquire().await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_hangs_is_as_good_as_gone() {
    let Some(server) = OwnServer::up().await else { return };
    let [cache, _] = two(&server, true);
    cache.put("a", 1_u8, HOUR).await.unwrap();
    is_near(&cache, "a").await;
    server.signal("STOP");
    let began = Instant::now();
    until(async || cache.stats().entries == 0).await;
    println!("the tier was empty {:?} after the server had stopped to answer", began.elapsed());
    server.signal("CONT");
    is_near(&cache, "a").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_became_old_while_the_store_was_away_is_told_when_it_is_back() {
    let Some(server) = OwnServer::up().await else { return };
    for tiered in [false, true] {
        let [one, other] = two(&server, tiered);
        for (number, key) in ["tagged", "forgotten", "changed", "flushed"].into_iter().enumerate() {
            one.tags([key]).put(key, u8::try_from(number).unwrap(), HOUR).await.unwrap();
        }
        server.signal("STOP");
        assert!(matches!(one.invalidate(["tagged"]).await, Err(CacheError::Store { .. })));
        assert!(matches!(one.forget("forgotten").await, Err(CacheError::Store { .. })));
        one.put("changed", 9_u8, HOUR).await.unwrap();
        // What it may still have is not used here.
        assert_eq!(one.get::<u8>("tagged").await.unwrap(), None);
        server.signal("CONT");
        for key in ["tagged", "forgotten", "changed"] {
            until(async || other.get::<u8>(key).await.unwrap().as_deref().is_none_or(|value| *value == 9)).await;
            assert!(one.get::<u8>(key).await.unwrap().is_none_or(|value| *value == 9), "{key}");
        }
        until(async || other.get::<u8>("flushed").await.unwrap().as_deref() == Some(&3)).await;
        server.signal("STOP");
        assert!(one.flush().await.is_err());
        server.signal("CONT");
        until(async || other.get::<u8>("flushed").await.unwrap().is_none()).await;
    }
}

#[tokio::test]
async fn what_a_server_still_has_when_it_is_back_is_doubted_by_who_met_it_away() {
    let Some(mut server) = OwnServer::new() else { return };
    server.start(&["--appendonly", "yes"]).await;
    for tiered in [false, true] {
        let [before, _] = two(&server, tiered);
        before.put("a", 1_u8, HOUR).await.unwrap();
        until(async || before.get::<u8>("a").await.unwrap().is_some() && before.stats().store.unwrap().hears).await;
        server.kill();
        let [meanwhile, after] = two(&server, tiered);
        assert_eq!(meanwhile.get::<u8>("a").await.unwrap(), None);
        // What listens for it has tried by then.
        for _ in 0..50 {
            assert!(server.redis(&[]).ping().await.is_err());
        }
        server.start(&["--appendonly", "yes"]).await;
        until(async || after.get::<u8>("a").await.unwrap().as_deref() == Some(&1)).await;
        for cache in [&before, &meanwhile] {
            until(async || cache.stats().store.unwrap().hears).await;
            assert_eq!(cache.get::<u8>("a").await.unwrap(), None);
        }
        // In the end it is used again.
        for cache in [&before, &meanwhile] {
            until(async || cache.get::<u8>("a").await.unwrap().as_deref() == Some(&1)).await;
        }
    }
}
