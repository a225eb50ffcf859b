use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use paravel::cache::{Cache, CacheError};
use serde::{Deserialize, Serialize};

use super::{
    super::HOUR,
    stand::{Stand, until},
};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Ship {
    name: String,
    crew: Option<u16>,
    #[serde(default)]
    ports: BTreeMap<String, Vec<f64>>,
}

fn ship() -> Ship {
    let ports = BTreeMap::from([("Cair Paravel".to_owned(), vec![1.5, -2.0]), ("Galma".to_owned(), Vec::new())]);
    Ship { name: "Dawn Treader".to_owned(), crew: None, ports }
}

const SOON: Duration = Duration::from_millis(40);

pub async fn what_is_put_is_got_as_the_same_type(stand: Stand) {
    for format in ["msgpack", "json"] {
        let cache = stand.named("default", &[("CACHE_FORMAT", format)]).await;
        cache.put("ship", ship(), HOUR).await.unwrap();
        assert_eq!(cache.get::<Ship>("ship").await.unwrap().as_deref(), Some(&ship()));
        assert!(cache.has("ship").await.unwrap() && !cache.has("shop").await.unwrap());
        assert_eq!(cache.get::<String>("ship").await.unwrap(), None, "it is of another type");
        assert_eq!(cache.get::<Ship>("shop").await.unwrap(), None);
        cache.put("ship", "a name".to_owned(), HOUR).await.unwrap();
        assert_eq!(cache.get::<String>("ship").await.unwrap().as_deref(), Some(&"a name".to_owned()));
        cache.forever("none", None::<u8>).await.unwrap();
        assert_eq!(cache.get::<Option<u8>>("none").await.unwrap().as_deref(), Some(&None));
        cache.forever("number", -7_i64).await.unwrap();
        assert_eq!(cache.get::<i64>("number").await.unwrap().as_deref(), Some(&-7));
        assert_eq!(cache.get::<u64>("number").await.unwrap(), None);
        cache.flush().await.unwrap();
    }
}

pub async fn several_are_got_at_once(stand: Stand) {
    let cache = stand.cache().await.tags(["numbers"]);
    for number in 0..5_u32 {
        cache.put(&number.to_string(), number, HOUR).await.unwrap();
    }
    let got = cache.many::<u32>(&["3", "9", "0", "3"]).await.unwrap();
    assert_eq!(got.iter().map(Option::as_deref).collect::<Vec<_>>(), [Some(&3), None, Some(&0), Some(&3)]);
    assert!(cache.many::<u32>(&[]).await.unwrap().is_empty());
}

pub async fn a_value_ends_with_its_time(stand: Stand) {
    let cache = stand.cache().await;
    cache.put("short", 1_u8, SOON).await.unwrap();
    cache.put("long", 2_u8, HOUR).await.unwrap();
    until(async || cache.get::<u8>("short").await.unwrap().is_none()).await;
    assert!(!cache.has("short").await.unwrap());
    assert!(cache.add("short", 3_u8, HOUR).await.unwrap(), "there is none");
    assert_eq!(cache.get::<u8>("long").await.unwrap().as_deref(), Some(&2));
    cache.put("never", 1_u8, Duration::ZERO).await.unwrap();
    until(async || cache.get::<u8>("never").await.unwrap().is_none()).await;
}

pub async fn a_touched_value_stays(stand: Stand) {
    let cache = stand.cache().await;
    assert!(!cache.touch("touched", HOUR).await.unwrap());
    cache.put("touched", 1_u8, Duration::from_secs(5)).await.unwrap();
    cache.forever("count", 4_i64).await.unwrap();
    assert!(cache.touch("touched", HOUR).await.unwrap() && cache.touch("count", HOUR).await.unwrap());
    assert_eq!(cache.get::<u8>("touched").await.unwrap().as_deref(), Some(&1));
    assert_eq!(cache.increment("count", 1).await.unwrap(), 5);
    assert!(cache.touch("touched", SOON).await.unwrap() && cache.touch("count", SOON).await.unwrap());
    until(async || !cache.has("touched").await.unwrap() && !cache.has("count").await.unwrap()).await;
}

pub async fn of_many_who_add_at_once_one_does(stand: Stand) {
    let cache = stand.cache().await;
    let adds = join_all((0..16_u8).map(|number| {
        let cache = cache.clone();
        paravel::spawn(async move { cache.add("a", number, HOUR).await.unwrap() })
    }));
    let added: Vec<_> = adds.await.into_iter().map(Result::unwrap).collect();
    assert_eq!(added.iter().filter(|added| **added).count(), 1);
    let winner = added.iter().position(|added| *added).unwrap();
    assert_eq!(usize::from(*cache.get::<u8>("a").await.unwrap().unwrap()), winner);
}

pub async fn of_many_who_pull_at_once_one_gets_it(stand: Stand) {
    let cache = stand.cache().await;
    cache.put("a", 7_u8, HOUR).await.unwrap();
    let pulls = join_all((0..16).map(|_| {
        let cache = cache.clone();
        paravel::spawn(async move { cache.pull::<u8>("a").await.unwrap() })
    }));
    let pulled: Vec<_> = pulls.await.into_iter().filter_map(Result::unwrap).collect();
    assert_eq!(pulled.iter().map(|value| **value).collect::<Vec<_>>(), [7]);
    assert!(!cache.has("a").await.unwrap());
}

pub async fn what_is_forgotten_or_flushed_is_gone(stand: Stand) {
    let (cache, other) = (stand.cache().await, stand.named("other", &[]).await);
    for cache in [&cache, &other] {
        cache.put("a", 1_u8, HOUR).await.unwrap();
        cache.tags(["t"]).put("b", 2_u8, HOUR).await.unwrap();
    }
    assert!(cache.forget("a").await.unwrap());
    assert!(!cache.forget("a").await.unwrap());
    assert!(!cache.has("a").await.unwrap() && other.has("a").await.unwrap());
    let lock = cache.lock("l", HOUR);
    lock.acquire().await.unwrap();
    cache.flush().await.unwrap();
    assert!(!cache.has("b").await.unwrap());
    assert!(other.has("b").await.unwrap() && other.has("a").await.unwrap(), "it is another cache's");
    assert!(!cache.lock("l", HOUR).acquire().await.unwrap(), "locks stay");
    assert!(lock.release().await.unwrap());
}

pub async fn keys_are_told_apart_whatever_they_are(stand: Stand) {
    let cache = stand.cache().await;
    let long = "k".repeat(400);
    let mut keys: Vec<String> =
        ["", "a", "A", "a ", " a", "ä", "a\u{308}", "a:b", "*", "?", "[a]", "a%", "a_", "\n", "\0", "'"]
            .map(str::to_owned)
            .to_vec();
    keys.extend([long.clone(), format!("{long}1"), format!("{long}2"), "船".repeat(200)]);
    for (number, key) in keys.iter().enumerate() {
        cache.tags([key]).put(key, number, HOUR).await.unwrap();
    }
    for (number, key) in keys.iter().enumerate() {
        assert_eq!(cache.get::<usize>(key).await.unwrap().as_deref(), Some(&number), "{key:?}");
    }
    // Each tag is of one key alone.
    for (number, key) in keys.iter().enumerate() {
        cache.invalidate([key]).await.unwrap();
        for (other, key) in keys.iter().enumerate() {
            assert_eq!(cache.has(key).await.unwrap(), other > number, "{key:?} after {number}");
        }
    }
}

pub async fn long_values_come_back_whole(stand: Stand) {
    let cache = stand.cache().await;
    let text: String = (0..200_000).map(|number| char::from(b'a' + (number % 7) as u8)).collect();
    let noise: Vec<u64> = (0..100_000_u64).map(|n| n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).collect();
    cache.put("text", text.clone(), HOUR).await.unwrap();
    cache.put("noise", noise.clone(), HOUR).await.unwrap();
    assert_eq!(cache.get::<String>("text").await.unwrap().as_deref(), Some(&text));
    assert_eq!(cache.get::<Vec<u64>>("noise").await.unwrap().as_deref(), Some(&noise));
}

async fn count_from_many(cache: &Cache) {
    let tasks = join_all((0..8).map(|_| {
        let cache = cache.clone();
        paravel::spawn(async move {
            for _ in 0..5 {
                cache.increment("visits", 2).await.unwrap();
                cache.increment("visits", -1).await.unwrap();
            }
        })
    }));
    tasks.await.into_iter().for_each(Result::unwrap);
}

pub async fn counts_lose_nothing(stand: Stand) {
    let cache = stand.cache().await;
    count_from_many(&cache).await;
    assert_eq!(cache.get::<i64>("visits").await.unwrap().as_deref(), Some(&40));
    cache.put("visits", 7_i64, HOUR).await.unwrap();
    assert_eq!(cache.increment("visits", -10).await.unwrap(), -3);
    cache.put("most", i64::MAX - 1, HOUR).await.unwrap();
    assert_eq!(cache.increment("most", 1).await.unwrap(), i64::MAX);
    assert!(matches!(cache.increment("most", 1).await, Err(CacheError::Overflow { key }) if key == "most"));
    assert_eq!(cache.get::<i64>("most").await.unwrap().as_deref(), Some(&i64::MAX));
}

pub async fn a_number_that_was_loaded_is_counted_from_there(stand: Stand) {
    let (cache, other) = (stand.cache().await, stand.cache().await);
    for tags in [&[][..], &["days"]] {
        let cache = cache.tags(tags);
        for sum in 1..50_i64 {
            cache.forget("n").await.unwrap();
            assert_eq!(*cache.remember("n", HOUR, async || Ok::<_, CacheError>(sum)).await.unwrap(), sum);
            assert_eq!(cache.get::<i64>("n").await.unwrap().as_deref(), Some(&sum));
            assert_eq!(cache.increment("n", 1).await.unwrap(), sum + 1);
            assert_eq!(cache.get::<i64>("n").await.unwrap().as_deref(), Some(&(sum + 1)));
        }
    }
    let sees = async || other.tags(["days"]).get::<i64>("n").await.unwrap().as_deref() == Some(&50);
    until(async || stand.store.is_none() || sees().await).await;
}

pub async fn counts_with_tags_lose_nothing(stand: Stand) {
    let cache = stand.cache().await.tags(["days"]);
    count_from_many(&cache).await;
    assert_eq!(cache.get::<i64>("visits").await.unwrap().as_deref(), Some(&40));
    cache.invalidate(["days"]).await.unwrap();
    assert_eq!(cache.increment("visits", 3).await.unwrap(), 3);
}

pub async fn what_is_no_number_is_not_counted(stand: Stand) {
    let cache = stand.cache().await;
    cache.put("name", "Dawn Treader".to_owned(), HOUR).await.unwrap();
    assert!(matches!(cache.increment("name", 1).await, Err(CacheError::NotANumber { key }) if key == "name"));
    assert!(cache.has("name").await.unwrap());
}
