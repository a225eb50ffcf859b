use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::Poll,
    time::Duration,
};

use futures_util::future::join_all;
use paravel::cache::{Cache, CacheError};
use tokio::sync::Semaphore;

use super::{HOUR, cache};

/// A loader that waits to be let go, and says how often it ran.
#[derive(Clone)]
struct Gate {
    runs: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
}

impl Gate {
    fn shut() -> Self {
        Self { runs: Arc::default(), gate: Arc::new(Semaphore::new(0)) }
    }

    fn open(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    fn runs(&self) -> usize {
        self.runs.load(SeqCst)
    }

    /// The number of this run, once the gate is open.
    async fn pass(&self) -> usize {
        let run = self.runs.fetch_add(1, SeqCst) + 1;
        self.gate.acquire().await.unwrap().forget();
        run
    }

    async fn is_waited_at(&self, runs: usize) {
        while self.runs() < runs {
            tokio::task::yield_now().await;
        }
    }
}

fn remember(cache: &Cache, gate: &Gate) -> tokio::task::JoinHandle<Result<Arc<usize>, String>> {
    let (cache, gate) = (cache.clone(), gate.clone());
    paravel::spawn(async move { cache.remember("a", HOUR, async || Ok(gate.pass().await)).await })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_thousand_who_want_the_same_at_once_share_one_load() {
    let (cache, gate, asked) = (cache(), Gate::shut(), Arc::new(AtomicUsize::new(0)));
    let ask = || {
        let (cache, gate, asked) = (cache.clone(), gate.clone(), Arc::clone(&asked));
        async move {
            let mut load = pin!(cache.remember("a", HOUR, async || Ok::<_, String>(gate.pass().await)));
            // Once it has been polled it is among those who want the value.
            let first = poll_fn(|context| Poll::Ready(load.as_mut().poll(context))).await;
            asked.fetch_add(1, SeqCst);
            assert!(first.is_pending(), "the gate is shut");
            load.await
        }
    };
    let tasks: Vec<_> = (0..1000).map(|_| paravel::spawn(ask())).collect();
    while asked.load(SeqCst) < 1000 {
        tokio::task::yield_now().await;
    }
    gate.open();
    for value in join_all(tasks).await {
        assert_eq!(*value.unwrap().unwrap(), 1);
    }
    assert_eq!(gate.runs(), 1);
}

#[tokio::test]
async fn an_error_reaches_all_who_waited_and_is_not_kept() {
    let (cache, gate) = (cache(), Gate::shut());
    let failing = || {
        let (cache, gate) = (cache.clone(), gate.clone());
        paravel::spawn(async move {
            let load = async || Err::<usize, _>(format!("run {} failed", gate.pass().await));
            cache.remember("a", HOUR, load).await
        })
    };
    let tasks: Vec<_> = (0..8).map(|_| failing()).collect();
    gate.is_waited_at(1).await;
    tokio::task::yield_now().await;
    gate.open();
    for value in join_all(tasks).await {
        assert_eq!(value.unwrap().unwrap_err(), "run 1 failed");
    }
    assert_eq!(*remember(&cache, &gate).await.unwrap().unwrap(), 2);
}

#[tokio::test]
async fn who_waits_for_a_loader_that_panics_or_is_cancelled_runs_its_own() {
    for panics in [true, false] {
        let (cache, gate) = (cache(), Gate::shut());
        let leader = {
            let (cache, gate) = (cache.clone(), gate.clone());
            paravel::spawn(async move {
                let load = async || {
                    gate.pass().await;
                    if panics { panic!("overboard") } else { std::future::pending::<Result<usize, String>>().await }
                };
                cache.remember("a", HOUR, load).await
            })
        };
        gate.is_waited_at(1).await;
        let others: Vec<_> = (0..8).map(|_| remember(&cache, &gate)).collect();
        tokio::task::yield_now().await;
        gate.open();
        tokio::task::yield_now().await;
        leader.abort();
        assert!(leader.await.is_err());
        for value in join_all(others).await {
            assert_eq!(*value.unwrap().unwrap(), 2, "one of them loaded for all");
        }
        assert_eq!(gate.runs(), 2);
    }
}

#[tokio::test]
async fn what_was_loaded_before_a_change_is_not_kept_after_it() {
    type Change = fn(&Cache) -> futures_util::future::BoxFuture<'_, ()>;
    let changes: [(&str, Change); 4] = [
        ("invalidate", |cache| Box::pin(async { cache.invalidate(["tag"]).await.unwrap() })),
        ("forget", |cache| Box::pin(async { assert!(!cache.forget("a").await.unwrap()) })),
        ("flush", |cache| Box::pin(async { cache.flush().await.unwrap() })),
        ("pull", |cache| Box::pin(async { drop(cache.pull::<usize>("a").await.unwrap()) })),
    ];
    for (name, change) in changes {
        let (cache, gate) = (cache().tags(["tag"]), Gate::shut());
        let before = remember(&cache, &gate);
        gate.is_waited_at(1).await;
        change(&cache).await;
        // Who asks after the change does not get what was loaded before it, either.
        let after = remember(&cache, &gate);
        gate.is_waited_at(2).await;
        gate.open();
        assert_eq!(*before.await.unwrap().unwrap(), 1);
        assert_eq!(*after.await.unwrap().unwrap(), 2);
        assert_eq!(cache.get::<usize>("a").await.unwrap().as_deref(), Some(&2), "after {name}");
    }
}

#[tokio::test]
async fn a_value_that_was_put_while_another_was_loaded_stays() {
    let (cache, gate) = (cache(), Gate::shut());
    let load = remember(&cache, &gate);
    gate.is_waited_at(1).await;
    cache.put("a", 99_usize, HOUR).await.unwrap();
    gate.open();
    load.await.unwrap().unwrap();
    assert_eq!(*cache.get::<usize>("a").await.unwrap().unwrap(), 99);
}

#[tokio::test]
async fn two_types_under_one_key_are_each_loaded() {
    let cache = cache();
    let numbers = cache.remember("a", HOUR, async || Ok::<_, CacheError>(7));
    let texts = cache.remember("a", HOUR, async || Ok::<_, CacheError>("seven".to_owned()));
    let (number, text) = tokio::join!(numbers, texts);
    assert_eq!((*number.unwrap(), text.unwrap().as_str()), (7, "seven"));
}

#[tokio::test(start_paused = true)]
async fn loaders_that_wait_for_each_other_come_to_an_end() {
    let cache = cache();
    let inner = cache.clone();
    let value = cache.remember("a", HOUR, async || {
        let same = inner.remember("a", HOUR, async || Ok::<_, CacheError>(1)).await?;
        Ok::<_, CacheError>(*same + 1)
    });
    assert_eq!(*value.await.unwrap(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_old_value_is_given_out_while_it_is_loaded_anew_once() {
    let (cache, runs) = (cache(), Arc::new(AtomicUsize::new(0)));
    let (fresh, stale) = (Duration::from_secs(10), Duration::from_secs(100));
    let ask = |fails: bool| {
        let (cache, runs) = (cache.clone(), Arc::clone(&runs));
        async move {
            let load = move || async move {
                let run = runs.fetch_add(1, SeqCst) + 1;
                tokio::time::sleep(Duration::from_millis(10)).await;
                if fails { Err("no wind".to_owned()) } else { Ok(run) }
            };
            cache.flexible("a", fresh, stale, load).await.map(|value| *value)
        }
    };
    assert_eq!(ask(false).await, Ok(1));
    assert_eq!(ask(false).await, Ok(1));
    tokio::time::advance(fresh).await;
    for _ in 0..10 {
        assert_eq!(ask(false).await, Ok(1), "the old one, at once");
        tokio::task::yield_now().await;
    }
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!((ask(false).await, runs.load(SeqCst)), (Ok(2), 2));
    // A loader that fails leaves the old one until it is too old.
    tokio::time::advance(fresh).await;
    assert_eq!(ask(true).await, Ok(2));
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert_eq!(ask(true).await, Ok(2));
    tokio::time::advance(stale).await;
    assert_eq!(ask(true).await, Err("no wind".to_owned()));
}

#[tokio::test]
async fn nothing_is_left_of_loads_that_are_over() {
    let cache = cache();
    for number in 0..100 {
        let key = format!("ships:{number}");
        let load = cache.remember(&key, HOUR, std::future::pending::<Result<usize, CacheError>>);
        assert!(tokio::time::timeout(Duration::from_millis(1), load).await.is_err());
        let failed = cache.remember(&key, HOUR, async || Err::<usize, _>(CacheError::NotANumber { key: key.clone() }));
        failed.await.unwrap_err();
    }
    assert_eq!(cache.stats().loading, 0);
}
