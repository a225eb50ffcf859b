use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use futures_util::future::join_all;
use paravel::cache::Cache;
use tokio::{sync::Semaphore, task::JoinHandle};

use super::{
    super::HOUR,
    stand::{Stand, until},
};

/// A loader that waits to be let go, and says how often it ran.
#[derive(Clone)]
pub struct Gate {
    runs: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
}

impl Gate {
    pub fn shut() -> Self {
        Self { runs: Arc::default(), gate: Arc::new(Semaphore::new(0)) }
    }

    pub fn open(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    pub fn runs(&self) -> usize {
        self.runs.load(SeqCst)
    }

    pub async fn is_waited_at(&self, runs: usize) {
        until(async || self.runs() >= runs).await;
    }

    /// Asks a cache for the number of the run that loads it.
    pub fn remember(&self, cache: &Cache) -> JoinHandle<Result<Arc<usize>, String>> {
        let (cache, gate) = (cache.clone(), self.clone());
        let load = move || async move {
            let run = gate.runs.fetch_add(1, SeqCst) + 1;
            gate.gate.acquire().await.map_err(|error| error.to_string())?.forget();
            Ok(run)
        };
        paravel::spawn(async move { cache.remember("a", HOUR, load).await })
    }
}

pub async fn many_who_want_the_same_share_one_load(stand: Stand) {
    let (cache, gate) = (stand.cache().await.tags(["t"]), Gate::shut());
    let tasks: Vec<_> = (0..200).map(|_| gate.remember(&cache)).collect();
    gate.is_waited_at(1).await;
    gate.open();
    for task in tasks {
        assert_eq!(*task.await.unwrap().unwrap(), 1);
    }
    assert_eq!(gate.runs(), 1);
    assert_eq!(cache.get::<usize>("a").await.unwrap().as_deref(), Some(&1));
}

pub async fn an_error_is_for_all_who_waited_and_is_not_kept(stand: Stand) {
    let (cache, runs) = (stand.cache().await, AtomicUsize::new(0));
    let (runs, gate) = (&runs, &Semaphore::new(0));
    let asked = join_all((0..5).map(|_| async {
        cache
            .remember::<u8, String, _, _>("a", HOUR, async || {
                let run = runs.fetch_add(1, SeqCst);
                drop(gate.acquire().await);
                Err(format!("failed {run}"))
            })
            .await
    }));
    let opened = async {
        // All have looked, and wait for the one that loads.
        until(async || cache.stats().families.iter().any(|family| family.misses == 5)).await;
        gate.add_permits(1);
    };
    let (answers, ()) = tokio::join!(asked, opened);
    assert!(answers.iter().all(|answer| answer.as_ref().unwrap_err() == "failed 0"), "{answers:?}");
    assert_eq!(runs.load(SeqCst), 1);
    assert_eq!(cache.get::<u8>("a").await.unwrap(), None);
    assert_eq!(*cache.remember("a", HOUR, async || Ok::<_, String>(7_u8)).await.unwrap(), 7);
}

pub async fn a_loader_that_panics_or_is_dropped_lets_the_next_load(stand: Stand) {
    let cache = stand.cache().await;
    let panics = cache.clone();
    let task = paravel::spawn(async move {
        panics.remember::<usize, String, _, _>("a", HOUR, async || panic!("on purpose")).await
    });
    assert!(task.await.unwrap_err().is_panic());
    let gate = Gate::shut();
    let dropped = gate.remember(&cache);
    gate.is_waited_at(1).await;
    let waits = gate.remember(&cache);
    dropped.abort();
    gate.is_waited_at(2).await;
    gate.open();
    assert_eq!(*waits.await.unwrap().unwrap(), 2);
    assert_eq!(cache.get::<usize>("a").await.unwrap().as_deref(), Some(&2));
}

pub async fn what_was_loaded_before_a_change_is_not_kept_after_it(stand: Stand) {
    let cache = stand.cache().await.tags(["t"]);
    for change in ["forget", "invalidate", "flush", "put", "pull", "count"] {
        cache.forget("a").await.unwrap();
        let gate = Gate::shut();
        let loads = gate.remember(&cache);
        gate.is_waited_at(1).await;
        let kept = match change {
            "forget" => cache.forget("a").await.map(|_| None),
            "invalidate" => cache.invalidate(["t"]).await.map(|()| None),
            "flush" => cache.flush().await.map(|()| None),
            "put" => cache.put("a", 99_usize, HOUR).await.map(|()| Some(99)),
            "pull" => cache.pull::<usize>("a").await.map(|_| None),
            _ => cache.increment("a", 5).await.map(|_| None),
        };
        gate.open();
        assert_eq!(*loads.await.unwrap().unwrap(), 1, "whoever asked gets it all the same");
        assert_eq!(cache.get::<usize>("a").await.unwrap().as_deref().copied(), kept.unwrap(), "{change}");
    }
}

pub async fn an_old_value_is_given_out_while_it_is_loaded_anew(stand: Stand) {
    let (cache, runs) = (stand.cache().await.tags(["t"]), Arc::new(AtomicUsize::new(0)));
    let ask = async |fresh: Duration| {
        let runs = Arc::clone(&runs);
        let load = move || async move { Ok::<_, String>(runs.fetch_add(1, SeqCst) + 1) };
        *cache.flexible("a", fresh, HOUR, load).await.unwrap()
    };
    let no_time = Duration::from_millis(1);
    assert_eq!(ask(no_time).await, 1);
    // Old at once, it is given out until the next is there.
    until(async || ask(HOUR).await == 2).await;
    assert_eq!(ask(HOUR).await, 2);
    assert_eq!(runs.load(SeqCst), 2);
    // One that fails to load leaves the old value.
    cache.flush().await.unwrap();
    assert_eq!(ask(no_time).await, 3);
    let (tried, old) = (Arc::new(AtomicUsize::new(0)), cache.clone());
    until(async || {
        let tries = Arc::clone(&tried);
        let fails = move || async move {
            tries.fetch_add(1, SeqCst);
            Err::<usize, _>("no".to_owned())
        };
        assert_eq!(*old.flexible("a", HOUR, HOUR, fails).await.unwrap(), 3);
        tried.load(SeqCst) > 1
    })
    .await;
}

pub async fn what_is_remembered_for_ever_is_loaded_until_it_is_forgotten(stand: Stand) {
    let (cache, runs) = (stand.cache().await, AtomicUsize::new(0));
    let ask = async || {
        let load = async || Ok::<_, String>(runs.fetch_add(1, SeqCst));
        *cache.remember_forever("a", load).await.unwrap()
    };
    assert_eq!((ask().await, ask().await), (0, 0));
    assert_eq!(cache.get::<usize>("a").await.unwrap().as_deref(), Some(&0));
    cache.forget("a").await.unwrap();
    assert_eq!((ask().await, ask().await), (1, 1));
}
