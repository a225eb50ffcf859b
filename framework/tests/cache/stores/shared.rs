use std::time::Duration;

use paravel::cache::{Begin, Limit, Put, When};
use uuid::Uuid;

use super::{
    super::HOUR,
    loads::Gate,
    stand::{Stand, until},
};

pub async fn what_one_process_changes_another_sees(stand: Stand) {
    let (one, other) = (stand.cache().await, stand.cache().await);
    let get = async || other.tags(["t"]).get::<u8>("a").await.unwrap().as_deref().copied();
    one.tags(["t"]).put("a", 1_u8, HOUR).await.unwrap();
    until(async || get().await == Some(1)).await;
    one.tags(["t"]).put("a", 2_u8, HOUR).await.unwrap();
    until(async || get().await == Some(2)).await;
    one.invalidate(["t"]).await.unwrap();
    until(async || get().await.is_none()).await;
    one.tags(["t"]).put("a", 3_u8, HOUR).await.unwrap();
    until(async || get().await == Some(3)).await;
    one.forget("a").await.unwrap();
    until(async || get().await.is_none()).await;
    one.put("a", 4_u8, HOUR).await.unwrap();
    until(async || get().await == Some(4)).await;
    one.flush().await.unwrap();
    until(async || get().await.is_none()).await;
    assert_eq!(one.increment("visits", 2).await.unwrap(), 2);
    assert_eq!(other.increment("visits", 2).await.unwrap(), 4);
}

pub async fn what_a_store_does_is_counted(stand: Stand) {
    let cache = stand.cache().await;
    let before = cache.stats().store.unwrap();
    cache.put("ships:1", 1_u8, HOUR).await.unwrap();
    assert!(!cache.has("ships:2").await.unwrap());
    let after = cache.stats().store.unwrap();
    assert_eq!((after.calls, after.failures, after.is_up), (before.calls + 2, 0, true), "{after:?}");
    // What the alert looks at.
    assert!(after.milliseconds > before.milliseconds, "{after:?}");
}

pub async fn one_process_loads_for_all(stand: Stand) {
    let gate = Gate::shut();
    let mut loads = Vec::new();
    for _ in 0..4 {
        loads.push(gate.remember(&stand.cache().await));
    }
    gate.is_waited_at(1).await;
    gate.open();
    for load in loads {
        assert_eq!(*load.await.unwrap().unwrap(), 1);
    }
    assert_eq!(gate.runs(), 1);
}

pub async fn a_load_that_another_process_makes_old_is_not_kept(stand: Stand) {
    for change in ["forget", "invalidate", "flush", "put"] {
        let (one, other, gate) = (stand.cache().await.tags(["t"]), stand.cache().await.tags(["t"]), Gate::shut());
        other.forget("a").await.unwrap();
        let load = gate.remember(&one);
        gate.is_waited_at(1).await;
        let kept = match change {
            "forget" => other.forget("a").await.map(|_| None),
            "invalidate" => other.invalidate(["t"]).await.map(|()| None),
            "flush" => other.flush().await.map(|()| None),
            _ => other.put("a", 99_usize, HOUR).await.map(|()| Some(99)),
        };
        let kept = kept.unwrap();
        gate.open();
        assert_eq!(*load.await.unwrap().unwrap(), 1);
        for cache in [&one, &other] {
            until(async || cache.get::<usize>("a").await.unwrap().as_deref().copied() == kept).await;
        }
    }
}

pub async fn a_process_that_dies_while_it_loads_keeps_nobody_waiting_for_long(stand: Stand) {
    let (cache, dead) = (stand.cache().await, Uuid::new_v4());
    let begin = Begin { key: "default:1:a", tags: &[], ttl: None, lease: Some((dead, Duration::from_millis(100))) };
    assert!(stand.store().begin(begin).await.unwrap().leased);
    assert!(!stand.store().begin(Begin { lease: Some((Uuid::new_v4(), HOUR)), ..begin }).await.unwrap().leased);
    let gate = Gate::shut();
    gate.open();
    assert_eq!(*gate.remember(&cache).await.unwrap().unwrap(), 1);
    // What it would still put in is not taken.
    let put = Put { key: "default:1:a", value: b"7", ttl: None, when: When::Leased(dead) };
    assert!(!stand.store().put(put).await.unwrap());
    assert_eq!(cache.get::<usize>("a").await.unwrap().as_deref(), Some(&1));
}

pub async fn a_tag_whose_version_was_lost_revives_nothing(stand: Stand) {
    let (cache, tag) = (stand.cache().await, ["default:1:t".to_owned()]);
    let tagged = cache.tags(["t"]);
    tagged.put("a", 1_u8, HOUR).await.unwrap();
    let begin = Begin { key: "default:1:b", tags: &tag, ttl: None, lease: None };
    let first = stand.store().begin(begin).await.unwrap().tags;
    assert_eq!(stand.store().begin(begin).await.unwrap().tags, first);
    // As if the store had needed the room.
    stand.store().invalidate(&tag).await.unwrap();
    let other = stand.cache().await;
    until(async || other.get::<u8>("a").await.unwrap().is_none()).await;
    // The tag's next version is not one that it had before.
    tagged.put("b", 2_u8, HOUR).await.unwrap();
    assert_ne!(stand.store().begin(begin).await.unwrap().tags, first);
    assert_eq!(stand.cache().await.tags(["t"]).get::<u8>("a").await.unwrap(), None);
    assert_eq!(stand.cache().await.tags(["t"]).get::<u8>("b").await.unwrap().as_deref(), Some(&2));
}

pub async fn what_cannot_be_read_is_a_miss(stand: Stand) {
    let cache = stand.cache().await;
    for garbage in [&b"garbage"[..], b"", b"12x", &[0xC4, 9, 0], &[0xC4, 1, 2, 0, 0, 0, 0]] {
        let put = Put { key: "default:1:ships:1", value: garbage, ttl: None, when: When::Always };
        assert!(stand.store().put(put).await.unwrap());
        assert_eq!(cache.get::<String>("ships:1").await.unwrap(), None);
        assert!(!cache.has("ships:1").await.unwrap() || garbage == b"12x");
        let load = async || Ok::<_, String>("loaded".to_owned());
        assert_eq!(*cache.remember("ships:1", HOUR, load).await.unwrap(), "loaded");
        assert_eq!(cache.get::<String>("ships:1").await.unwrap().as_deref(), Some(&"loaded".to_owned()));
        cache.forget("ships:1").await.unwrap();
    }
    let stats = cache.stats();
    let ships = stats.families.iter().find(|family| family.family == "ships").unwrap();
    assert!(ships.undecodable >= 5 && ships.misses >= 5, "{ships:?}");
}

pub async fn versions_and_names_keep_caches_apart(stand: Stand) {
    let (one, two) = (stand.cache().await, stand.named("default", &[("CACHE_VERSION", "2")]).await);
    one.put("a", 1_u8, HOUR).await.unwrap();
    assert_eq!(two.get::<u8>("a").await.unwrap(), None);
    two.put("a", 2_u8, HOUR).await.unwrap();
    two.flush().await.unwrap();
    assert_eq!(stand.cache().await.get::<u8>("a").await.unwrap().as_deref(), Some(&1));
    let usage = one.usage().await.unwrap().unwrap();
    assert_eq!((usage.entries, two.usage().await.unwrap().unwrap().entries), (1, 0));
}

pub async fn locks_and_limits_are_everybodys(stand: Stand) {
    let (one, other) = (stand.cache().await, stand.named("default", &[("CACHE_VERSION", "2")]).await);
    let lock = one.lock("reports", HOUR);
    assert!(lock.acquire().await.unwrap());
    assert!(!other.lock("reports", HOUR).acquire().await.unwrap());
    assert!(other.lock("reports", HOUR).of_owner(lock.owner()).release().await.unwrap());
    let (here, there) = (one.limiter("logins", Limit::per_hour(2)), other.limiter("logins", Limit::per_hour(2)));
    assert!(here.attempt("ada").await.unwrap().is_allowed() && there.attempt("ada").await.unwrap().is_allowed());
    assert!(!here.attempt("ada").await.unwrap().is_allowed() && !there.attempt("ada").await.unwrap().is_allowed());
}
