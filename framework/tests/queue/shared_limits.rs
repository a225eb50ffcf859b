//! Limits that hold over all workers: those of several applications, which have nothing in common but where jobs wait and what their
//! caches are kept in.

use std::{sync::Arc, time::Duration};

use paravel::{
    cache::Limit,
    config::QueueConfig,
    container::ContainerBuilder,
    job,
    queue::{Concurrency, JobRun, Jobs, RateLimit, Worker, WorkerReport},
    support::{BoxError, Env},
};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Semaphore, watch},
    task::JoinHandle,
};

use super::{Stand, Told, worker::Seen};
use crate::cache::stores::stand::{self, until};

const WORKERS: usize = 3;
const JOBS: u64 = 6;
const MOST: u32 = 2;

/// Runs until the test lets it go.
#[derive(Serialize, Deserialize)]
struct Pass {
    rated: bool,
}

#[job(name = "test.pass", timeout = "1h")]
impl Pass {
    async fn handle(self, seen: Option<Arc<Seen>>, gate: Option<Arc<Semaphore>>, run: &JobRun) -> Result<(), BoxError> {
        let (Some(seen), Some(gate)) = (seen, gate) else { return Err("there is no strait here".into()) };
        seen.ran.lock().push(run.id().to_string());
        seen.enter();
        gate.acquire().await?.forget();
        seen.leave();
        Ok(())
    }

    fn rate_limit(&self) -> Option<RateLimit> {
        self.rated.then(|| RateLimit::new("strait", Limit::per_day(MOST)))
    }

    fn concurrency(&self) -> Option<Concurrency> {
        (!self.rated).then(|| Concurrency::new("strait", MOST))
    }
}

/// Workers of one queue, each in an application of its own, which runs one job at a time.
struct Fleet {
    stand: Stand,
    told: Arc<Told>,
    seen: Arc<Seen>,
    gate: Arc<Semaphore>,
    stop: watch::Sender<bool>,
    workers: Vec<JoinHandle<WorkerReport>>,
    // It is deleted with this.
    _caches: stand::Stand,
}

impl Fleet {
    async fn over(caches: stand::Stand) -> Self {
        let mut stand = Stand::memory();
        let told = Told::before(&mut stand);
        let (seen, gate) = (Arc::<Seen>::default(), Arc::new(Semaphore::new(0)));
        let (stop, mut workers) = (watch::Sender::new(false), Vec::new());
        let env = Env::from_pairs([("QUEUE_CONCURRENCY", "1"), ("QUEUE_PREFETCH", "0")]);
        let config = QueueConfig::from_env(&env);
        env.check().unwrap();
        for _ in 0..WORKERS {
            let mut app = ContainerBuilder::new();
            app.instance(Arc::clone(&seen));
            app.instance(Arc::clone(&gate));
            app.instance(Arc::new(caches.cache().await));
            let (app, jobs) = (app.freeze().unwrap(), Arc::new(Jobs::collect([])));
            let worker = Worker::new(stand.queue(), jobs, &config, app, ["default"]);
            let mut stopped = stop.subscribe();
            workers.push(paravel::spawn(worker.run(async move { drop(stopped.wait_for(|stop| *stop).await) })));
        }
        Self { stand, told, seen, gate, stop, workers, _caches: caches }
    }

    /// Waits until as many run as may, and all others were sent back.
    async fn until_full(&self) {
        until(async || {
            let depth = self.stand.queue().depth("default").await.unwrap();
            let may = depth.total().min(u64::from(MOST));
            (depth.ready, depth.running, self.seen.at_once() as u64) == (0, may, may)
        })
        .await;
    }

    async fn end(self) -> u64 {
        self.stop.send_replace(true);
        let mut done = 0;
        for worker in self.workers {
            let report = worker.await.unwrap();
            assert_eq!((report.failed, report.retried), (0, 0), "to go back is no attempt");
            done += report.done;
        }
        done
    }
}

async fn no_more_run_at_once_than_may_over_all_workers(caches: stand::Stand) {
    let fleet = Fleet::over(caches).await;
    fleet.stand.queue().dispatch_many((0..JOBS).map(|_| Pass { rated: false })).await.unwrap();
    for left in (0..JOBS).rev() {
        // Of those that went back, some come once a place is free.
        until(async || {
            fleet.stand.clock.advance(Duration::from_secs(1));
            fleet.seen.at_once() as u64 == (left + 1).min(u64::from(MOST))
        })
        .await;
        fleet.until_full().await;
        assert_eq!(fleet.seen.most_at_once(), 2);
        fleet.gate.add_permits(1);
        until(async || fleet.stand.queue().depth("default").await.unwrap().total() == left).await;
    }
    assert_eq!(fleet.seen.most_at_once(), 2);
    assert_eq!(fleet.end().await, JOBS);
}

async fn no_more_run_in_so_long_than_may_over_all_workers(caches: stand::Stand) {
    let fleet = Fleet::over(caches).await;
    fleet.stand.queue().dispatch_many((0..JOBS).map(|_| Pass { rated: true })).await.unwrap();
    fleet.until_full().await;
    fleet.gate.add_permits(usize::try_from(JOBS).unwrap());
    until(async || fleet.stand.queue().depth("default").await.unwrap().total() == JOBS - 2).await;
    // As by the clock of a machine that is ahead: those that come too soon go back once more.
    let before = fleet.told.released();
    fleet.stand.clock.advance(Duration::from_secs(48 * 3600));
    until(async || fleet.told.released() >= before + 4).await;
    assert_eq!(fleet.seen.ran.lock().len(), 2);
    assert_eq!(fleet.end().await, 2);
}

/// The tests over each store that applications can share.
macro_rules! over {
    ($($store:ident: $stand:expr;)*) => {
        $(mod $store {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn no_more_run_at_once_than_may_over_all_workers() {
                let Some(stand) = $stand.await else { return };
                super::no_more_run_at_once_than_may_over_all_workers(stand).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn no_more_run_in_so_long_than_may_over_all_workers() {
                let Some(stand) = $stand.await else { return };
                super::no_more_run_in_so_long_than_may_over_all_workers(stand).await;
            }
        })*
    };
}

over! {
    sqlite: crate::cache::stores::stand::database::<paravel::database::SqliteConn>();
}
#[cfg(feature = "postgres")]
over! {
    postgres: crate::cache::stores::stand::database::<paravel::database::PgConn>();
}
#[cfg(feature = "redis")]
over! {
    on_redis: crate::cache::stores::stand::redis();
}
