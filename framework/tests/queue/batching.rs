//! How little a worker asks of its driver, however many jobs there are.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use paravel::{
    config::QueueConfig,
    container::ContainerBuilder,
    queue::{
        Beat, Driver, DriverError, Durability, Job, JobEntry, JobRun, Jobs, Orders, Push, Pushed, Queue, QueueAdmin,
        Tended, Turn, Turned, Worker, WorkerLimits,
    },
    support::{BoxError, Clock, Env, WireFormat},
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use super::{Stand, forwards::forwards};

const CONCURRENCY: usize = 32;
const PREFETCH: usize = 10;

/// Takes a moment, so that workers have a pace to claim ahead by.
#[derive(Serialize, Deserialize)]
struct Tick;

impl Job for Tick {
    const NAME: &'static str = "test.batching";
    const QUEUE: &'static str = "a";
    type Dependencies = ();

    async fn handle(self, (): (), _: &JobRun) -> Result<(), BoxError> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        Ok(())
    }
}

/// What was asked of a driver.
#[derive(Debug, Default, Clone, Copy)]
struct Asked {
    turns: usize,
    claims: usize,
    ends: usize,
    /// The most that was claimed and had not ended.
    most: usize,
}

/// Counts what is asked of it.
struct Counted {
    inner: Arc<dyn Driver>,
    pushes: AtomicUsize,
    beats: AtomicUsize,
    asked: Mutex<Asked>,
}

impl Driver for Counted {
    forwards!(inner: tend, wait, durability, admin);

    fn push(&self, push: Push) -> BoxFuture<'_, Result<Vec<Pushed>, DriverError>> {
        self.pushes.fetch_add(1, SeqCst);
        self.inner.push(push)
    }

    fn beat<'a>(&'a self, beat: Beat<'a>) -> BoxFuture<'a, Result<Orders, DriverError>> {
        self.beats.fetch_add(1, SeqCst);
        self.inner.beat(beat)
    }

    fn turn<'a>(&'a self, turn: Turn<'a>) -> BoxFuture<'a, Result<Turned, DriverError>> {
        Box::pin(async move {
            let turned = self.inner.turn(turn).await?;
            let mut asked = self.asked.lock();
            asked.turns += 1;
            asked.ends += turn.ends.len();
            asked.claims += turned.claimed.len();
            asked.most = asked.most.max(asked.claims - asked.ends);
            Ok(turned)
        })
    }
}

/// Has so many jobs done by one worker: what it asked, and how often it said that it is alive.
async fn drained(jobs: usize) -> (Asked, usize) {
    let stand = Stand::memory();
    let counted = Arc::new(Counted {
        inner: Arc::clone(&stand.driver),
        pushes: AtomicUsize::default(),
        beats: AtomicUsize::default(),
        asked: Mutex::default(),
    });
    let clock: Arc<dyn Clock> = Arc::clone(&stand.clock) as _;
    let queue = Queue::new(Arc::clone(&counted) as _, WireFormat::MessagePack, clock);
    queue.dispatch_many((0..jobs).map(|_| Tick)).await.unwrap();
    assert_eq!(counted.pushes.load(SeqCst), 1, "they are pushed together");
    let [concurrency, prefetch] = [CONCURRENCY, PREFETCH].map(|number| number.to_string());
    let env = Env::from_pairs([("QUEUE_CONCURRENCY", &*concurrency), ("QUEUE_PREFETCH", &*prefetch)]);
    let (config, app) = (QueueConfig::from_env(&env), ContainerBuilder::new().freeze().unwrap());
    env.check().unwrap();
    let worker = Worker::new(queue, Arc::new(Jobs::collect([JobEntry::of::<Tick>()])), &config, app, ["a"]);
    let until_empty = WorkerLimits { when_empty: true, ..WorkerLimits::default() };
    let report = worker.limits(until_empty).run(std::future::pending()).await;
    let asked = *counted.asked.lock();
    assert_eq!((report.done, report.stale), (jobs as u64, 0));
    assert_eq!(asked.claims, asked.ends);
    (asked, counted.beats.load(SeqCst))
}

#[tokio::test(start_paused = true)]
async fn a_worker_asks_for_many_jobs_at_once_and_for_no_more_than_it_may_have() {
    let (asked, beats) = drained(1000).await;
    assert!(asked.turns < 100, "{asked:?}");
    assert!(asked.most > CONCURRENCY && asked.most <= CONCURRENCY + PREFETCH, "{asked:?}");
    let (_, of_few) = drained(10).await;
    assert_eq!(beats, of_few, "a worker beats for all its jobs at once");
}
