//! Queues in the database of a server that goes away and comes back while they are worked on.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use paravel::{
    config::QueueConfig,
    container::{Container, ContainerBuilder},
    database::{Connection, Migrator, TOOLKIT_MIGRATIONS},
    queue::{DatabaseDriver, Job, JobEntry, JobRun, Jobs, Queue, Worker, WorkerReport},
    support::{BoxError, Env, SystemClock, WireFormat},
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use super::{DEADLINE, OwnServer, on_own_servers};

const CLIENTS: usize = 8;

/// How often each job has run, by its number.
#[derive(Default)]
struct Ran(Mutex<BTreeMap<u64, u32>>);

#[derive(Serialize, Deserialize)]
struct Tick {
    number: u64,
}

impl Job for Tick {
    const NAME: &'static str = "test.tick";
    type Dependencies = (Arc<Ran>,);

    async fn handle(self, (ran,): Self::Dependencies, _: &JobRun) -> Result<(), BoxError> {
        *ran.0.lock().entry(self.number).or_default() += 1;
        Ok(())
    }
}

/// What has been dispatched.
#[derive(Default)]
struct Dispatched {
    next: AtomicU64,
    over: AtomicBool,
    /// What was answered: it is there, or may be.
    kept: Mutex<Vec<u64>>,
    refused: Mutex<Vec<u64>>,
}

async fn client(queue: Queue, dispatched: Arc<Dispatched>) {
    while !dispatched.over.load(SeqCst) {
        let number = dispatched.next.fetch_add(1, SeqCst);
        match queue.dispatch(Tick { number }).await {
            Ok(_) => dispatched.kept.lock().push(number),
            Err(_) => {
                dispatched.refused.lock().push(number);
                // As clients do that are told to come again.
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

fn work(queue: &Queue, app: &Container, stop: &watch::Receiver<bool>) -> JoinHandle<WorkerReport> {
    let env = Env::from_pairs::<&str, &str>([]);
    let jobs = Arc::new(Jobs::collect([JobEntry::of::<Tick>()]));
    let worker = Worker::new(queue.clone(), jobs, &QueueConfig::from_env(&env), app.clone(), ["default"]);
    let mut stop = stop.clone();
    paravel::spawn(worker.run(async move {
        let _ = stop.wait_for(|stop| *stop).await;
    }))
}

/// Waits until it holds.
async fn until(what: &str, holds: impl Fn() -> bool) {
    let comes = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, comes).await.expect(what);
}

async fn no_job_that_was_taken_is_lost_by_a_restart<C: Connection>() {
    let Some(mut server) = OwnServer::new::<C>() else { return };
    server.start::<C>(&[]).await;
    // As two processes have it.
    let dbs = [(); 2].map(|()| Arc::new(server.db::<C>("127.0.0.1", "")));
    Migrator::new(Arc::clone(&dbs[0]) as _, Arc::new(SystemClock), TOOLKIT_MIGRATIONS).migrate().await.unwrap();
    let queues = dbs.map(|db| {
        let driver = Arc::new(DatabaseDriver::new(db, Arc::new(SystemClock)));
        Queue::new(driver, WireFormat::MessagePack, Arc::new(SystemClock))
    });
    let ran = Arc::new(Ran::default());
    let mut app = ContainerBuilder::new();
    app.instance(Arc::clone(&ran));
    let app = app.freeze().unwrap();
    let (stop, stopped) = watch::channel(false);
    let workers = queues.each_ref().map(|queue| work(queue, &app, &stopped));
    let dispatched = Arc::new(Dispatched::default());
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(client(queues[0].clone(), Arc::clone(&dispatched)));
    }
    let goes_on = async || {
        let (before, had) = (dispatched.kept.lock().len(), ran.0.lock().len());
        until("it does not recover", || dispatched.kept.lock().len() > before + 200 && ran.0.lock().len() > had + 200)
            .await;
    };
    // In order, and as by a power cut.
    for signal in [if C::BACKEND == "postgres" { "INT" } else { "TERM" }, "KILL"] {
        goes_on().await;
        server.stop(signal);
        server.start::<C>(&[]).await;
    }
    goes_on().await;
    dispatched.over.store(true, SeqCst);
    tokio::time::timeout(DEADLINE, clients.join_all()).await.unwrap();
    let kept = dispatched.kept.lock().clone();
    until("a job that was taken does not run", || {
        let ran = ran.0.lock();
        kept.iter().all(|number| ran.contains_key(number))
    })
    .await;
    // Whoever was told of jobs by the server that is gone is told by this one, or looks.
    let last = u64::MAX;
    queues[1].dispatch(Tick { number: last }).await.unwrap();
    until("an idle worker does not hear of a job", || ran.0.lock().contains_key(&last)).await;
    stop.send(true).unwrap();
    let mut reports = Vec::new();
    for worker in workers {
        reports.push(tokio::time::timeout(DEADLINE, worker).await.unwrap().unwrap());
    }
    let twice = ran.0.lock().values().filter(|times| **times > 1).count();
    let (refused, done) = (dispatched.refused.lock().len(), reports.iter().map(|report| report.done).sum::<u64>());
    println!(
        "{}: {} jobs taken, {refused} not known to be, {done} ends told, {twice} ran twice",
        C::BACKEND,
        kept.len()
    );
    assert!(refused > 0, "no dispatch met a restart");
}

on_own_servers! {
    no_job_that_was_taken_is_lost_by_a_restart,
}
