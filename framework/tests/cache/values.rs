use std::{sync::Arc, time::Duration};

use paravel::cache::{Cache, CacheError};
use serde::{Deserialize, Serialize};

use super::{HOUR, cache};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Ship {
    name: String,
}

fn ship(name: &str) -> Ship {
    Ship { name: name.to_owned() }
}

#[tokio::test]
async fn what_was_put_is_there_until_it_is_forgotten_and_is_the_very_same() {
    let cache = cache();
    assert_eq!(cache.get::<Ship>("ships:1").await.unwrap(), None);
    cache.put("ships:1", ship("Dawn Treader"), HOUR).await.unwrap();
    let one = cache.get::<Ship>("ships:1").await.unwrap().unwrap();
    let other = cache.clone().get::<Ship>("ships:1").await.unwrap().unwrap();
    assert_eq!(*one, ship("Dawn Treader"));
    assert!(Arc::ptr_eq(&one, &other));
    assert!(cache.has("ships:1").await.unwrap());
    assert!(cache.forget("ships:1").await.unwrap());
    assert!(!cache.forget("ships:1").await.unwrap());
    assert!(!cache.has("ships:1").await.unwrap());
}

#[tokio::test]
async fn of_two_values_the_later_counts_and_of_several_keys_each_has_its_own() {
    let cache = cache();
    cache.put("a", 1, HOUR).await.unwrap();
    cache.put("a", 2, HOUR).await.unwrap();
    cache.forever("c", 3).await.unwrap();
    let values = cache.many::<i32>(&["a", "b", "c"]).await.unwrap();
    assert_eq!(values.iter().map(|value| value.as_deref().copied()).collect::<Vec<_>>(), [Some(2), None, Some(3)]);
    cache.flush().await.unwrap();
    assert_eq!(cache.many::<i32>(&["a", "b", "c"]).await.unwrap(), [None, None, None]);
}

#[tokio::test]
async fn a_value_of_another_type_counts_as_none_and_is_counted() {
    let cache = cache();
    cache.put("ships:1", ship("Dawn Treader"), HOUR).await.unwrap();
    assert_eq!(cache.get::<String>("ships:1").await.unwrap(), None);
    let stats = cache.stats();
    assert_eq!((stats.families[0].family.as_str(), stats.families[0].undecodable), ("ships", 1));
    assert!(cache.get::<Ship>("ships:1").await.unwrap().is_some());
}

#[tokio::test(start_paused = true)]
async fn a_value_is_gone_when_its_time_is_over_and_touch_gives_it_more() {
    let cache = cache();
    let minute = Duration::from_secs(60);
    cache.put("short", 1, minute).await.unwrap();
    cache.put("touched", 2, minute).await.unwrap();
    cache.forever("kept", 3).await.unwrap();
    tokio::time::advance(minute - Duration::from_millis(1)).await;
    assert!(cache.has("short").await.unwrap());
    assert!(cache.touch("touched", minute).await.unwrap());
    tokio::time::advance(Duration::from_millis(1)).await;
    assert!(!cache.has("short").await.unwrap());
    assert!(!cache.touch("short", minute).await.unwrap());
    assert!(cache.has("touched").await.unwrap());
    assert_eq!(cache.get::<i32>("short").await.unwrap(), None);
    tokio::time::advance(HOUR * 24 * 365).await;
    assert_eq!(cache.prune().await.unwrap(), 1, "the touched one");
    assert!(cache.has("kept").await.unwrap());
    assert_eq!(cache.stats().entries, 1);
}

#[tokio::test]
async fn of_many_that_add_or_pull_at_once_one_does() {
    let cache = cache();
    let added = futures_util::future::join_all((0..16).map(|number| {
        let cache = cache.clone();
        paravel::spawn(async move { cache.add("one", number, HOUR).await.unwrap() })
    }));
    assert_eq!(added.await.into_iter().filter(|added| *added.as_ref().unwrap()).count(), 1);
    let pulled = futures_util::future::join_all((0..16).map(|_| {
        let cache = cache.clone();
        paravel::spawn(async move { cache.pull::<i32>("one").await.unwrap().is_some() })
    }));
    assert_eq!(pulled.await.into_iter().filter(|pulled| *pulled.as_ref().unwrap()).count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn numbers_are_counted_without_a_loss_and_never_wrap() {
    let cache = cache();
    let tasks: Vec<_> = (0..8)
        .map(|_| {
            let cache = cache.clone();
            paravel::spawn(async move {
                for _ in 0..1000 {
                    cache.increment("visits", 2).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(*cache.get::<i64>("visits").await.unwrap().unwrap(), 16_000);
    assert_eq!(cache.increment("visits", -16_000).await.unwrap(), 0);
    cache.increment("visits", i64::MAX).await.unwrap();
    assert!(matches!(cache.increment("visits", 1).await, Err(CacheError::Overflow { key }) if key == "visits"));
    cache.put("text", "7".to_owned(), HOUR).await.unwrap();
    assert!(matches!(cache.increment("text", 1).await, Err(CacheError::NotANumber { key }) if key == "text"));
}

#[tokio::test]
async fn a_tag_takes_all_that_have_it_and_nothing_else() {
    let cache = cache();
    let (users, one) = (cache.tags(["users"]), cache.tags(["users"]).tags(["users:1"]));
    users.put("a", 1, HOUR).await.unwrap();
    one.put("b", 2, HOUR).await.unwrap();
    cache.put("c", 3, HOUR).await.unwrap();
    cache.invalidate(["users:1", "unknown"]).await.unwrap();
    assert_eq!(cache.many::<i32>(&["a", "b", "c"]).await.unwrap().iter().flatten().count(), 2);
    assert_eq!(one.get::<i32>("b").await.unwrap(), None);
    one.put("b", 4, HOUR).await.unwrap();
    assert!(cache.has("b").await.unwrap());
    cache.invalidate(["users"]).await.unwrap();
    assert_eq!(cache.many::<i32>(&["a", "b", "c"]).await.unwrap().iter().flatten().count(), 1);
}

#[tokio::test]
async fn what_is_full_makes_room_and_counts_what_went() {
    let cache = Cache::memory("small", 100_000);
    for number in 0..1000 {
        cache.put(&format!("ships:{number}"), "x".repeat(1000), HOUR).await.unwrap();
    }
    let stats = cache.stats();
    assert!(stats.bytes <= stats.capacity && stats.entries < 100, "{stats:?}");
    let family = &stats.families[0];
    assert_eq!((family.puts, family.evictions), (1000, 1000 - u64::try_from(stats.entries).unwrap()));
    assert!(family.bytes > 1_000_000);
}

#[tokio::test]
async fn what_happens_is_counted_by_kind_of_key_and_kinds_have_an_end() {
    let cache = cache();
    cache.put("ships:1", 1, HOUR).await.unwrap();
    cache.get::<i32>("ships:1").await.unwrap();
    cache.get::<i32>("ships:2").await.unwrap();
    cache.remember("ships:3", HOUR, async || Ok::<_, CacheError>(3)).await.unwrap();
    let family = cache.stats().families.remove(0);
    assert_eq!((family.hits, family.misses, family.puts, family.loads), (1, 2, 2, 1));
    for number in 0..2000 {
        cache.get::<i32>(&format!("{number}:of a user's making")).await.unwrap();
    }
    assert!(cache.stats().families.len() < 300);
}

#[tokio::test(start_paused = true)]
async fn figures_add_up() {
    let cache = cache();
    let load = async || {
        tokio::time::sleep(Duration::from_millis(40)).await;
        Ok::<_, CacheError>(1)
    };
    cache.remember("ships:1", HOUR, load).await.unwrap();
    cache.remember("ships:2", HOUR, load).await.unwrap();
    cache.remember("ports:1", HOUR, async || Ok::<_, CacheError>(1)).await.unwrap();
    for _ in 0..2 {
        cache.get::<i32>("ships:1").await.unwrap();
    }
    let stats = cache.stats();
    let [ports, ships] = &stats.families[..] else { panic!("{stats:?}") };
    assert_eq!((ships.loads, ships.load_milliseconds, ships.hit_rate), (2, 40.0, Some(50.0)));
    assert_eq!((ports.loads, ports.load_milliseconds, ports.hit_rate), (1, 0.0, Some(0.0)));
    assert_eq!((stats.hit_rate, stats.store), (Some(40.0), None));
}
