//! What the log says, and how often.

use std::{sync::Arc, time::Duration};

use paravel::cache::{Put, Store, When};
use tokio::time::sleep;

use super::{HOUR, cache, stores::shelf::Shelf};
use crate::services::logging::Lines;

/// The lines that have this in them, of what is logged meanwhile.
async fn logged<F: Future<Output = ()>>(what: &str, work: F) -> usize {
    let lines = Lines::default();
    let log = tracing_subscriber::fmt().with_writer(lines.clone()).with_ansi(false).finish();
    let _guard = tracing::subscriber::set_default(log);
    work.await;
    lines.text().lines().filter(|line| line.contains(what)).count()
}

#[tokio::test(start_paused = true)]
async fn a_store_that_cannot_be_reached_is_told_of_once_and_once_that_it_is_back() {
    let shelf: Arc<Shelf> = Arc::default();
    let cache = shelf.cache();
    let ask = async |times: usize| {
        for _ in 0..times {
            assert_eq!(cache.get::<u8>("a").await.unwrap(), None);
            sleep(Duration::from_secs(1)).await;
        }
    };
    let outages = async {
        for _ in 0..2 {
            shelf.set_down(true);
            ask(5).await;
            shelf.set_down(false);
            ask(5).await;
        }
    };
    assert_eq!(logged("the cache's store can", outages).await, 4, "down and up, twice");
    shelf.set_down(true);
    assert_eq!(logged("WARN", ask(5)).await, 1);
    let stats = cache.stats().store.unwrap();
    assert!(!stats.is_up && stats.failures == 15, "{stats:?}");
}

#[tokio::test]
async fn values_that_cannot_be_read_are_told_of_once_a_kind() {
    let shelf: Arc<Shelf> = Arc::default();
    let (distant, here) = (shelf.cache(), cache());
    let reads = async {
        for key in ["ships:1", "ships:2", "ports:1"] {
            let full = format!("default:1:{key}");
            let put = Put { key: &full, value: b"garbage", ttl: None, when: When::Always };
            assert!(shelf.put(put).await.unwrap());
            here.put(key, 1_u8, HOUR).await.unwrap();
            for _ in 0..3 {
                assert_eq!(distant.get::<String>(key).await.unwrap(), None);
                assert_eq!(here.get::<String>(key).await.unwrap(), None);
            }
        }
    };
    assert_eq!(logged("such values are taken for absent", reads).await, 4, "two kinds, in each of two caches");
}
