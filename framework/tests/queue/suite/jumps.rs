//! A clock that is put forward or back while workers work by it.

use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use paravel::{
    config::QueueConfig,
    container::ContainerBuilder,
    queue::{
        Beat, Driver, DriverError, Durability, Job, JobEntry, JobRun, Jobs, Orders, Push, Pushed, Queue, QueueAdmin,
        Tended, Turn, Turned, Worker, WorkerReport,
    },
    support::{BoxError, Clock, Env, WireFormat},
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::{sync::watch, task::JoinHandle};
use uuid::Uuid;

use super::depth;
use crate::queue::{Stand, forwards::forwards};

/// Longer than anything here takes; only what hangs comes to it.
const DEADLINE: Duration = Duration::from_secs(120);

const MINUTE: Duration = Duration::from_secs(60);

/// What jobs said when they began.
#[derive(Default)]
struct Said(Mutex<Vec<String>>);

#[derive(Serialize, Deserialize)]
struct Say {
    what: String,
}

impl Say {
    fn of(what: &str) -> Self {
        Self { what: what.to_owned() }
    }
}

impl Job for Say {
    const NAME: &'static str = "test.say";
    const QUEUE: &'static str = "a";
    const TIMEOUT: Duration = Duration::from_secs(3600);
    type Dependencies = (Arc<Said>,);

    async fn handle(self, (said,): Self::Dependencies, run: &JobRun) -> Result<(), BoxError> {
        let stays = self.what == "stays";
        said.0.lock().push(self.what);
        if stays {
            run.stopping().await;
        }
        Ok(())
    }
}

/// Counts how often each worker has said that it is alive.
struct Counted {
    inner: Arc<dyn Driver>,
    beats: Mutex<HashMap<Uuid, u64>>,
}

impl Driver for Counted {
    forwards!(inner: push, turn, tend, wait, durability, admin);

    fn beat<'a>(&'a self, beat: Beat<'a>) -> BoxFuture<'a, Result<Orders, DriverError>> {
        Box::pin(async move {
            let orders = self.inner.beat(beat).await?;
            *self.beats.lock().entry(beat.worker).or_default() += 1;
            Ok(orders)
        })
    }
}

/// Two workers of one queue.
struct Crew {
    stand: Stand,
    counted: Arc<Counted>,
    queue: Queue,
    said: Arc<Said>,
    stop: watch::Sender<bool>,
    workers: Vec<JoinHandle<WorkerReport>>,
}

impl Crew {
    fn of(stand: Stand) -> Self {
        let counted = Arc::new(Counted { inner: Arc::clone(&stand.driver), beats: Mutex::default() });
        let clock: Arc<dyn Clock> = Arc::clone(&stand.clock) as _;
        let queue = Queue::new(Arc::clone(&counted) as _, WireFormat::MessagePack, clock);
        let said = Arc::<Said>::default();
        let mut app = ContainerBuilder::new();
        app.instance(Arc::clone(&said));
        let app = app.freeze().unwrap();
        let config = QueueConfig::from_env(&Env::from_pairs::<&str, &str>([]));
        let stop = watch::Sender::new(false);
        let work = || {
            let jobs = Arc::new(Jobs::collect([JobEntry::of::<Say>()]));
            let mut stopped = stop.subscribe();
            let worker = Worker::new(queue.clone(), jobs, &config, app.clone(), ["a"]);
            paravel::spawn(worker.run(async move { drop(stopped.wait_for(|stop| *stop).await) }))
        };
        let workers = vec![work(), work()];
        Self { stand, counted, queue, said, stop, workers }
    }

    fn has(&self, what: &str) -> bool {
        self.said.0.lock().iter().any(|said| said == what)
    }

    /// Waits until it holds. Some drivers pass on no word of it, and tokio's time may stand still.
    async fn until(&self, what: &str, holds: impl Fn(&Self) -> bool) {
        let comes = async {
            while !holds(self) {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(DEADLINE, comes).await.expect(what);
    }

    /// Lets a part of the time pass for which workers are believed, until each has said once more that it lives.
    async fn lapse(&self) {
        (self.stand.lapse)(Duration::from_secs(5)).await;
        let before = self.counted.beats.lock().clone();
        let all = |crew: &Self| {
            let beats = crew.counted.beats.lock();
            beats.len() == 2 && beats.iter().all(|(worker, beats)| before.get(worker) < Some(beats))
        };
        self.until("a worker does not beat", all).await;
    }
}

pub async fn a_clock_that_jumps_takes_no_job_from_its_worker(stand: Stand) {
    let crew = Crew::of(stand.clone());
    let began = stand.clock.now();
    crew.queue.dispatch(Say::of("stays")).await.unwrap();
    for minutes in [30, 90] {
        crew.queue.dispatch_after(minutes * MINUTE, Say::of(&format!("after {minutes}"))).await.unwrap();
    }
    crew.until("it does not begin", |crew| crew.has("stays")).await;
    let hour = chrono::TimeDelta::hours(1);
    stand.clock.set((began.utc() + hour).into());
    crew.until("what has become due does not run", |crew| crew.has("after 30")).await;
    crew.lapse().await;
    crew.lapse().await;
    stand.clock.set((began.utc() - hour).into());
    // Nobody still looks for what was due an hour ago.
    crew.lapse().await;
    crew.queue.dispatch_after(30 * MINUTE, Say::of("before")).await.unwrap();
    crew.lapse().await;
    // Longer than a worker is believed, and it still has its job.
    assert_eq!(depth(&stand, "a").await, (0, 2, 1));
    stand.clock.set((began.utc() - hour / 2).into());
    crew.until("what has become due does not run", |crew| crew.has("before")).await;
    assert!(!crew.has("after 90"));
    stand.clock.set(began.plus(90 * MINUTE));
    crew.until("what has become due does not run", |crew| crew.has("after 90")).await;
    crew.stop.send_replace(true);
    let mut done = 0;
    for worker in crew.workers {
        let report = worker.await.unwrap();
        assert_eq!((report.stale, report.retried, report.released, report.failed), (0, 0, 0, 0));
        done += report.done;
    }
    assert_eq!(done, 4);
    assert_eq!(*crew.said.0.lock(), ["stays", "after 30", "before", "after 90"]);
    assert_eq!(depth(&stand, "a").await, (0, 0, 0));
}
