//! What a shared store sees of loads that take their time, in tokio's paused time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use futures_util::future::join_all;
use paravel::cache::{Cache, CacheError};
use tokio::time::sleep;

use super::{super::HOUR, shelf::Shelf};

const SECOND: Duration = Duration::from_secs(1);

/// So many who all want what takes so long to load; how often it was.
async fn slow(caches: &[Cache], many: usize, takes: Duration) -> usize {
    let runs = &AtomicUsize::new(0);
    let asked = join_all(caches.iter().flat_map(|cache| {
        (0..many).map(move |_| async move {
            let load = async || {
                let run = runs.fetch_add(1, SeqCst);
                sleep(takes).await;
                Ok::<_, CacheError>(run)
            };
            *cache.remember("slow", HOUR, load).await.unwrap()
        })
    }));
    assert!(asked.await.iter().all(|value| *value == 0));
    runs.load(SeqCst)
}

#[tokio::test(start_paused = true)]
async fn all_wait_for_as_long_as_a_load_takes() {
    for takes in [12, 120] {
        assert_eq!(slow(&[Cache::memory("default", 1 << 20)], 100, takes * SECOND).await, 1);
        let shelf: Arc<Shelf> = Arc::default();
        assert_eq!(slow(&[shelf.cache(), shelf.cache(), shelf.cache()], 30, takes * SECOND).await, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn loaders_of_two_processes_that_wait_for_each_other_come_to_an_end() {
    let shelf: Arc<Shelf> = Arc::default();
    let crossed = |mine: &'static str, theirs: &'static str| {
        let cache = shelf.cache();
        async move {
            let load = async || {
                sleep(SECOND).await;
                let other = cache.remember(theirs, HOUR, async || Ok::<_, CacheError>(1)).await?;
                Ok::<_, CacheError>(*other + 1)
            };
            *cache.remember(mine, HOUR, load).await.unwrap()
        }
    };
    let (one, other) = tokio::join!(crossed("a", "b"), crossed("b", "a"));
    assert!((2..=3).contains(&one) && (2..=3).contains(&other), "{one} {other}");
}

#[tokio::test(start_paused = true)]
async fn what_takes_longer_to_load_than_it_is_kept_is_kept_for_its_time() {
    let shelf: Arc<Shelf> = Arc::default();
    let (cache, runs) = (shelf.cache().tags(["t"]), AtomicUsize::new(0));
    let ask = async |takes: Duration| {
        let load = async || {
            sleep(takes).await;
            Ok::<_, CacheError>(runs.fetch_add(1, SeqCst))
        };
        cache.remember("a", SECOND, load).await.unwrap();
        runs.load(SeqCst)
    };
    for (round, takes) in [1500, 60_000].into_iter().enumerate() {
        let takes = Duration::from_millis(takes);
        assert_eq!(ask(takes).await, round + 1);
        sleep(SECOND / 2).await;
        assert_eq!(ask(takes).await, round + 1, "it is there for its second");
        sleep(SECOND).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_touched_value_stays_though_its_tags_were_to_be_kept_for_less() {
    let shelf: Arc<Shelf> = Arc::default();
    let cache = shelf.cache();
    let tagged = cache.tags(["t", "u"]);
    tagged.put("a", 1_u8, 60 * SECOND).await.unwrap();
    assert!(cache.touch("a", HOUR).await.unwrap());
    sleep(HOUR / 2).await;
    assert_eq!(tagged.get::<u8>("a").await.unwrap().as_deref(), Some(&1));
    cache.invalidate(["u"]).await.unwrap();
    assert_eq!(cache.get::<u8>("a").await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn what_has_tags_is_kept_for_a_month_at_most() {
    let shelf: Arc<Shelf> = Arc::default();
    let (cache, month) = (shelf.cache(), 30 * 24 * HOUR);
    cache.tags(["t"]).forever("put", 1_u8).await.unwrap();
    cache.tags(["t"]).remember_forever("loaded", async || Ok::<_, CacheError>(1_u8)).await.unwrap();
    cache.forever("plain", 1_u8).await.unwrap();
    assert_eq!([shelf.ttl("default:1:put"), shelf.ttl("default:1:loaded")], [Some(month); 2]);
    assert_eq!(shelf.ttl("default:1:plain"), None);
}

#[tokio::test(start_paused = true)]
async fn a_change_whose_caller_goes_away_is_made_all_the_same() {
    let shelf: Arc<Shelf> = Arc::default();
    let (cache, other) = (shelf.cache(), shelf.cache());
    for change in ["invalidate", "forget", "put", "flush"] {
        cache.tags(["t"]).put("a", 1_u8, HOUR).await.unwrap();
        shelf.hold();
        let held = shelf.held();
        {
            let left = async {
                match change {
                    "invalidate" => cache.invalidate(["t"]).await.unwrap(),
                    "forget" => drop(cache.forget("a").await.unwrap()),
                    "put" => cache.tags(["t"]).put("a", 2_u8, HOUR).await.unwrap(),
                    _ => cache.flush().await.unwrap(),
                }
            };
            assert!(tokio::time::timeout(SECOND, left).await.is_err());
            assert_eq!(shelf.held(), held + 1, "it was under way");
        }
        shelf.release();
        tokio::task::yield_now().await;
        assert_eq!(cache.get::<u8>("a").await.unwrap(), None, "{change}: not to be found by whoever made it");
        sleep(SECOND).await;
        assert_eq!(other.get::<u8>("a").await.unwrap(), None, "{change}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_store_still_has_when_it_is_back_is_used_once_others_had_time_to_say_what_is_old() {
    let shelf: Arc<Shelf> = Arc::default();
    let (cache, runs) = (shelf.cache().tags(["t"]), AtomicUsize::new(0));
    let load = async || Ok::<_, CacheError>(runs.fetch_add(1, SeqCst));
    let ask = async || *cache.remember("a", HOUR, load).await.unwrap();
    assert_eq!((ask().await, ask().await), (0, 0));
    shelf.set_heard(true);
    assert_eq!(ask().await, 0, "nobody was away when it began");
    for away in [SECOND / 10, 600 * SECOND] {
        cache.put("a", 99_usize, HOUR).await.unwrap();
        let loaded = runs.load(SeqCst);
        let is_left_alone = async |number: usize| {
            assert_eq!(ask().await, loaded + number);
            assert_eq!(cache.get::<usize>("a").await.unwrap(), None);
            assert_eq!(cache.many::<usize>(&["a"]).await.unwrap(), [None]);
            assert!(!cache.has("a").await.unwrap());
        };
        shelf.set_heard(false);
        is_left_alone(0).await;
        sleep(away).await;
        is_left_alone(1).await;
        shelf.set_heard(true);
        is_left_alone(2).await;
        sleep(5 * SECOND - SECOND / 10).await;
        is_left_alone(3).await;
        sleep(SECOND / 10).await;
        // What was loaded meanwhile was put there.
        assert_eq!((ask().await, ask().await), (loaded + 3, loaded + 3));
        assert_eq!(cache.get::<usize>("a").await.unwrap().as_deref(), Some(&(loaded + 3)));
    }
}
