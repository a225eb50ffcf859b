//! A server that is emptied, restarted, down or slow while workers run.

use std::{collections::HashMap, sync::Arc, time::Duration};

use paravel::{
    config::QueueConfig,
    container::ContainerBuilder,
    queue::{
        Chain, DriverError, Durability, Job, JobEntry, JobRun, Jobs, Queue, QueueError, RedisDriver, Worker,
        WorkerReport,
    },
    redis::{Redis, cmd},
    support::{BoxError, Env, SystemClock, WireFormat},
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::{sync::oneshot, task::JoinHandle, time::timeout};

use crate::{
    queue::message,
    redis::{OwnServer, until},
};

/// Longer than anything here takes; only what hangs comes to it.
const DEADLINE: Duration = Duration::from_secs(60);

/// How often each job ran.
#[derive(Default)]
struct Ran(Mutex<HashMap<u32, u32>>);

impl Ran {
    async fn all(&self, numbers: &[u32]) {
        until(async || {
            let ran = self.0.lock();
            let missing: Vec<_> = numbers.iter().filter(|number| !ran.contains_key(number)).collect();
            if missing.is_empty() { Ok(()) } else { Err(format!("{} have not run", missing.len())) }
        })
        .await;
    }
}

#[derive(Serialize, Deserialize)]
struct Mark {
    number: u32,
}

impl Job for Mark {
    const NAME: &'static str = "test.mark";
    type Dependencies = (Arc<Ran>,);

    async fn handle(self, (ran,): Self::Dependencies, _: &JobRun) -> Result<(), BoxError> {
        *ran.0.lock().entry(self.number).or_default() += 1;
        Ok(())
    }
}

fn queue(redis: &Redis) -> Queue {
    let driver = RedisDriver::new(Arc::new(redis.clone()), Arc::new(SystemClock));
    Queue::new(Arc::new(driver), WireFormat::MessagePack, Arc::new(SystemClock))
}

/// A worker that runs until it is told to stop.
struct Working {
    stop: oneshot::Sender<()>,
    report: JoinHandle<WorkerReport>,
}

impl Working {
    fn start(queue: &Queue, ran: &Arc<Ran>) -> Self {
        let mut app = ContainerBuilder::new();
        app.instance(Arc::clone(ran));
        let config = QueueConfig::from_env(&Env::from_pairs::<&str, &str>([]));
        let jobs = Arc::new(Jobs::collect([JobEntry::of::<Mark>()]));
        let worker = Worker::new(queue.clone(), jobs, &config, app.freeze().unwrap(), ["default"]);
        let (stop, stopped) = oneshot::channel();
        let report = paravel::spawn(worker.run(async { drop(stopped.await) }));
        Self { stop, report }
    }

    async fn end(self) -> WorkerReport {
        drop(self.stop);
        timeout(DEADLINE, self.report).await.expect("it does not end").unwrap()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_goes_on_after_redis_was_emptied() {
    let Some(server) = OwnServer::up().await else { return };
    let redis = server.redis(&[("REDIS_TIMEOUT", "10s")]);
    let (queue, ran) = (queue(&redis), Arc::new(Ran::default()));
    let working = Working::start(&queue, &ran);
    let mut first = 0;
    for forgets in [&["FLUSHALL"][..], &["SCRIPT", "FLUSH"], &["FLUSHALL"]] {
        let numbers: Vec<_> = (first..first + 100).collect();
        first += 100;
        queue.dispatch_many(numbers.iter().map(|number| Mark { number: *number })).await.unwrap();
        ran.all(&numbers).await;
        let mut forget = cmd(forgets[0]);
        forget.arg(&forgets[1..]);
        redis.run(&forget).await.unwrap();
    }
    queue.dispatch(Mark { number: first }).await.unwrap();
    ran.all(&[first]).await;
    // It is known again with its next beat.
    until(async || queue.workers().await.unwrap().first().map(drop).ok_or("it is not known")).await;
    working.end().await;
    assert!(queue.workers().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_runs_though_redis_is_killed_under_load() {
    const DURABLE: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];
    let Some(mut server) = OwnServer::new() else { return };
    server.start(&DURABLE).await;
    let redis = server.redis(&[("REDIS_TIMEOUT", "10s")]);
    let (queue, ran) = (queue(&redis), Arc::new(Ran::default()));
    assert_eq!(queue.durability().await.unwrap(), Durability::Disk);
    let working = Working::start(&queue, &ran);
    let (stop, mut stopped) = oneshot::channel::<()>();
    let dispatching = queue.clone();
    let dispatcher = paravel::spawn(async move {
        let (mut taken, mut unsure, mut number) = (Vec::new(), 0_u32, 0);
        while stopped.try_recv() == Err(oneshot::error::TryRecvError::Empty) {
            let numbers = number..number + 20;
            number += 20;
            match dispatching.dispatch_many(numbers.clone().map(|number| Mark { number })).await {
                Ok(_) => taken.extend(numbers),
                Err(_) => {
                    unsure += 20;
                    tokio::task::yield_now().await;
                }
            }
        }
        (taken, unsure)
    });
    let goes_on = async || {
        let enough = ran.0.lock().len() + 300;
        until(async || if ran.0.lock().len() >= enough { Ok(()) } else { Err("it does not go on") }).await;
    };
    for _ in 0..3 {
        goes_on().await;
        server.kill();
        server.start(&DURABLE).await;
    }
    goes_on().await;
    drop(stop);
    let (taken, unsure) = timeout(DEADLINE, dispatcher).await.unwrap().unwrap();
    ran.all(&taken).await;
    let report = working.end().await;
    let ran = ran.0.lock();
    let again: u32 = ran.values().map(|times| times - 1).sum();
    println!(
        "{} jobs acknowledged, {unsure} not known, {} ran, {again} times more than once; {} ends were stale",
        taken.len(),
        ran.len(),
        report.stale,
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_down_is_said_to_be_and_is_used_once_it_is_there() {
    let Some(mut server) = OwnServer::new() else { return };
    let redis = server.redis(&[]);
    let (queue, ran) = (queue(&redis), Arc::new(Ran::default()));
    let working = Working::start(&queue, &ran);
    for _ in 0..3 {
        let down = timeout(DEADLINE, queue.driver().push(vec![message("default")].into())).await.expect("it hangs");
        assert!(matches!(down, Err(DriverError::Unavailable(_))), "{down:?}");
    }
    assert!(matches!(queue.dispatch(Mark { number: 0 }).await, Err(QueueError::Driver { .. })));
    server.start(&[]).await;
    until(async || queue.dispatch(Mark { number: 1 }).await).await;
    ran.all(&[1]).await;
    server.kill();
    server.start(&[]).await;
    until(async || queue.dispatch(Mark { number: 2 }).await).await;
    ran.all(&[2]).await;
    working.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_outlasts_a_slow_server() {
    let Some(server) = OwnServer::up().await else { return };
    let redis = server.redis(&[("REDIS_TIMEOUT", "200ms")]);
    let (queue, ran) = (queue(&redis), Arc::new(Ran::default()));
    let working = Working::start(&queue, &ran);
    let mut admin = until(async || server.redis(&[]).blocking().await).await;
    let mut taken = Vec::new();
    for round in 0..3 {
        let numbers = round * 100..round * 100 + 50;
        until(async || queue.dispatch_many(numbers.clone().map(|number| Mark { number })).await).await;
        taken.extend(numbers);
        admin.run(cmd("CLIENT").arg("PAUSE").arg(3_600_000).arg("WRITE")).await.unwrap();
        let slow = timeout(DEADLINE, queue.dispatch(Mark { number: 9999 })).await.expect("it hangs");
        assert!(matches!(slow, Err(QueueError::Driver { .. })));
        admin.run(cmd("CLIENT").arg("UNPAUSE")).await.unwrap();
    }
    ran.all(&taken).await;
    working.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wake_up_that_is_lost_is_made_up_for() {
    let Some(server) = OwnServer::up().await else { return };
    let redis = server.redis(&[]);
    let queue = queue(&redis);
    let listening = async || {
        let listeners: Vec<(String, u64)> = redis
            .query::<(String, u64)>(cmd("PUBSUB").arg("NUMSUB").arg(redis.key("{queue}:wake")))
            .await
            .map(|one| vec![one])
            .map_err(|error| error.to_string())?;
        if listeners.iter().any(|(_, count)| *count == 1) { Ok(()) } else { Err("nobody listens".to_owned()) }
    };
    for push_first in [false, true] {
        let waits = Arc::clone(queue.driver());
        let waiter = paravel::spawn(async move {
            waits.wait(&["default".to_owned()], 60 * DEADLINE).await;
        });
        until(listening).await;
        let kill = async || redis.run(cmd("CLIENT").arg("KILL").arg("TYPE").arg("pubsub")).await.unwrap();
        if !push_first {
            kill().await;
        }
        queue.dispatch(Mark { number: 0 }).await.unwrap();
        if push_first {
            kill().await;
        }
        timeout(DEADLINE, waiter).await.expect("it is not heard of").unwrap();
        queue.driver().admin().clear("default").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_full_is_drained_and_takes_nothing_more() {
    let Some(server) = OwnServer::up().await else { return };
    let redis = server.redis(&[("REDIS_TIMEOUT", "10s")]);
    let (queue, ran) = (queue(&redis), Arc::new(Ran::default()));
    queue.dispatch_many((0..200).map(|number| Mark { number })).await.unwrap();
    queue.dispatch_after(Duration::from_millis(1), Mark { number: 200 }).await.unwrap();
    queue.chain(Chain::new().job(Mark { number: 201 }).job(Mark { number: 202 })).await.unwrap();
    let limit = async |bytes: u64| redis.run(cmd("CONFIG").arg("SET").arg("maxmemory").arg(bytes)).await.unwrap();
    limit(1).await;
    let full = queue.driver().push(vec![message("default")].into()).await.unwrap_err();
    assert!(matches!(full, DriverError::Unavailable(_)), "{full:?}");
    assert!(full.to_string().starts_with("Redis is full, and takes nothing more before jobs have run"), "{full}");
    // It says that it is alive, makes ready what is due, claims, ends, and pushes what follows.
    let working = Working::start(&queue, &ran);
    ran.all(&(0..=202).collect::<Vec<_>>()).await;
    assert_eq!(queue.workers().await.unwrap().len(), 1);
    assert!(queue.dispatch(Mark { number: 203 }).await.is_err());
    limit(0).await;
    queue.dispatch(Mark { number: 204 }).await.unwrap();
    ran.all(&[204]).await;
    assert_eq!(working.end().await.done, 204);
    assert!(!ran.0.lock().contains_key(&203));
}

#[tokio::test]
async fn what_a_job_outlives_is_read_from_the_settings_of_the_server() {
    let Some(mut server) = OwnServer::new() else { return };
    for (settings, expected) in [
        (&["--appendonly", "yes", "--appendfsync", "always"][..], Durability::Disk),
        (&["--appendonly", "yes", "--appendfsync", "everysec"], Durability::Host),
        (&["--save", "60 1"], Durability::Host),
        (&[], Durability::Process),
        (&["--appendonly", "yes", "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"], Durability::Process),
    ] {
        server.start(settings).await;
        let queue = queue(&server.redis(&[]));
        assert_eq!(until(async || queue.durability().await).await, expected, "{settings:?}");
        server.kill();
    }
}
