//! What the queue does in a second, by driver: 100,000 jobs that do nothing, with a body of 100 bytes.
//!
//! `cargo bench -p paravel --bench queue`, with `--features testing,postgres,mysql,redis` and the servers' addresses in `TEST_POSTGRES_URL`,
//! `TEST_MYSQL_URL` and `TEST_REDIS_URL` for theirs; the name of a driver after `--` for that one alone.
//!
//! What is underneath is measured in the same run: the same bodies put by 1,000 into a table or a stream, with nothing else, and in memory a
//! task for each job.
//!
//! What an idle worker is like is measured of one in a process of its own, where the driver has any: this program again, which is told
//! by its arguments where the queues are.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod apart;
#[cfg(feature = "testing")]
mod database;
#[path = "../machine/mod.rs"]
mod machine;
#[cfg(feature = "redis")]
mod redis;

use std::{
    any::Any,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use futures_util::future::{BoxFuture, FutureExt};
use paravel::{
    config::QueueConfig,
    container::{Container, ContainerBuilder},
    queue::{
        Beat, Driver, DriverError, Durability, Job, JobEntry, JobRun, Jobs, MemoryDriver, Orders, Push, Pushed, Queue,
        QueueAdmin, Tended, Turn, Turned, Worker, WorkerLimits,
    },
    support::{BoxError, Env, SystemClock, WireFormat},
};
use serde::{Deserialize, Serialize};

use apart::{Apart, WORKER, computed, resident};

type Result<T> = std::result::Result<T, BoxError>;

const JOBS: u32 = 100_000;
/// In one push.
const BULK: usize = 1_000;
const CLIENTS: u32 = 64;
/// How often one job is dispatched to a worker that has nothing to do.
const SINGLES: usize = 300;
/// For how long a worker that has nothing to do is watched.
const IDLE: Duration = Duration::from_secs(10);

/// Which jobs have run, a bit each.
static SEEN: [AtomicU64; JOBS as usize / 64 + 1] = [const { AtomicU64::new(0) }; JOBS as usize / 64 + 1];
#[derive(Serialize, Deserialize)]
struct Nothing {
    number: u32,
    filling: String,
}

impl Nothing {
    fn number(number: u32) -> Self {
        Self { number, filling: "x".repeat(93) }
    }
}

impl Job for Nothing {
    const NAME: &'static str = "nothing";
    type Dependencies = ();

    async fn handle(self, (): (), _: &JobRun) -> std::result::Result<(), BoxError> {
        SEEN[self.number as usize / 64].fetch_or(1 << (self.number % 64), Relaxed);
        Ok(())
    }
}

/// A job that says how long after its dispatch it began.
#[derive(Serialize, Deserialize)]
struct Ping {
    // In nanoseconds since 1970: two processes have that in common.
    at: u64,
}

impl Job for Ping {
    const NAME: &'static str = "ping";
    type Dependencies = (Arc<Waits>,);

    async fn handle(self, (waits,): Self::Dependencies, _: &JobRun) -> std::result::Result<(), BoxError> {
        (waits.0)(now()?.saturating_sub(self.at));
        Ok(())
    }
}

/// Who is told how long a job has waited, in nanoseconds.
struct Waits(Box<dyn Fn(u64) + Send + Sync>);

fn now() -> Result<u64> {
    Ok(u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos())?)
}

/// A driver under measurement.
struct Subject {
    name: &'static str,
    queue: Queue,
    /// A second, in bulk, one at a time by 64 clients, and drained; none for none.
    budgets: [Option<f64>; 3],
    // How often the driver was asked for something.
    calls: Arc<AtomicU64>,
    stored: Stored,
    bare: Bare,
    // Where the queues are, for a worker in another process; none where there can be none.
    place: Option<String>,
    // What goes with it, after it.
    _kept: Box<dyn Any>,
}

/// How many bytes there are where jobs wait; none where nobody can tell.
type Stored = Box<dyn Fn() -> BoxFuture<'static, Option<u64>>>;

/// Does without a queue what comes next to it, for each job; how it is called.
type Bare = (&'static str, Box<dyn Fn() -> BoxFuture<'static, Result<()>>>);

/// A driver whose pushes and turns are counted: each is a round trip.
struct Counted(Arc<dyn Driver>, Arc<AtomicU64>);

impl Driver for Counted {
    fn push(&self, push: Push) -> BoxFuture<'_, std::result::Result<Vec<Pushed>, DriverError>> {
        self.1.fetch_add(1, Relaxed);
        self.0.push(push)
    }

    fn turn<'a>(&'a self, turn: Turn<'a>) -> BoxFuture<'a, std::result::Result<Turned, DriverError>> {
        self.1.fetch_add(1, Relaxed);
        self.0.turn(turn)
    }

    fn beat<'a>(&'a self, beat: Beat<'a>) -> BoxFuture<'a, std::result::Result<Orders, DriverError>> {
        self.0.beat(beat)
    }

    fn tend<'a>(&'a self, queues: &'a [String]) -> BoxFuture<'a, std::result::Result<Tended, DriverError>> {
        self.0.tend(queues)
    }

    fn wait<'a>(&'a self, queues: &'a [String], longest: Duration) -> BoxFuture<'a, ()> {
        self.0.wait(queues, longest)
    }

    fn durability(&self) -> BoxFuture<'_, std::result::Result<Durability, DriverError>> {
        self.0.durability()
    }

    fn admin(&self) -> &dyn QueueAdmin {
        self.0.admin()
    }
}

fn worker(queue: &Queue, app: &Container, limits: WorkerLimits) -> Worker {
    let env = Env::from_pairs::<&str, &str>([]);
    let config = QueueConfig::from_env(&env);
    let jobs = Arc::new(Jobs::collect([JobEntry::of::<Nothing>(), JobEntry::of::<Ping>()]));
    Worker::new(queue.clone(), jobs, &config, app.clone(), ["default"]).limits(limits)
}

fn app(waits: impl Fn(u64) + Send + Sync + 'static) -> Result<Container> {
    let mut app = ContainerBuilder::new();
    app.instance(Arc::new(Waits(Box::new(waits))));
    Ok(app.freeze()?)
}

impl Subject {
    fn new(name: &'static str, driver: Arc<dyn Driver>, budgets: [Option<f64>; 3]) -> Self {
        let calls = Arc::new(AtomicU64::new(0));
        let driver = Arc::new(Counted(driver, Arc::clone(&calls)));
        let queue = Queue::new(driver, WireFormat::MessagePack, Arc::new(SystemClock));
        let stored: Stored = Box::new(|| std::future::ready(None).boxed());
        let bare: Bare = ("a task each", Box::new(|| tasks().boxed()));
        Self { name, queue, budgets, calls, stored, bare, place: None, _kept: Box::new(()) }
    }

    fn print(&self, what: &str, jobs: u32, took: Duration, budget: Option<f64>) {
        let rate = f64::from(jobs) / took.as_secs_f64();
        let budget = budget.map_or_else(String::new, |budget| {
            let missed = if rate < budget { ", missed" } else { "" };
            format!(" (budget {budget:.0}{missed})")
        });
        let each = f64::from(jobs) / self.calls.swap(0, Relaxed) as f64;
        println!("{}: {what}: {rate:.0} jobs/s{budget}, {each:.0} by a round trip", self.name);
    }

    async fn run(&self) -> Result<()> {
        let (what, bare) = &self.bare;
        let began = Instant::now();
        bare().await?;
        println!("{}: bare, {what}: {:.0}/s", self.name, f64::from(JOBS) / began.elapsed().as_secs_f64());
        let app = app(|_| ())?;
        let single = Instant::now();
        let clients = (0..CLIENTS).map(|client| {
            let queue = self.queue.clone();
            paravel::spawn(async move {
                for number in (client..JOBS).step_by(CLIENTS as usize) {
                    queue.dispatch(Nothing::number(number)).await?;
                }
                Ok::<_, paravel::queue::QueueError>(())
            })
        });
        for client in clients.collect::<Vec<_>>() {
            client.await??;
        }
        self.print("dispatched one at a time by 64 clients", JOBS, single.elapsed(), self.budgets[1]);
        self.drain(&app).await?;

        let before = (self.stored)().await;
        let bulk = Instant::now();
        for first in (0..JOBS).step_by(BULK) {
            let last = (first + u32::try_from(BULK)?).min(JOBS);
            self.queue.dispatch_many((first..last).map(Nothing::number)).await?;
        }
        self.print("dispatched 1,000 at a time by one client", JOBS, bulk.elapsed(), self.budgets[0]);
        if let (Some(before), Some(after)) = (before, (self.stored)().await) {
            println!("{}: stored: {} bytes a job", self.name, after.saturating_sub(before) / u64::from(JOBS));
        }
        self.drain(&app).await?;
        self.beside().await?;
        match &self.place {
            Some(place) => self.apart(place).await,
            None => Ok(()),
        }
    }

    async fn drain(&self, app: &Container) -> Result<()> {
        SEEN.iter().for_each(|word| word.store(0, Relaxed));
        let limits = WorkerLimits { when_empty: true, ..WorkerLimits::default() };
        let worker = worker(&self.queue, app, limits);
        let drain = Instant::now();
        let report = worker.run(std::future::pending()).await;
        let took = drain.elapsed();
        let seen: u32 = SEEN.iter().map(|word| word.load(Relaxed).count_ones()).sum();
        let left = self.queue.depth("default").await?.total();
        if seen != JOBS || left != 0 {
            return Err(
                format!("{}: {seen} jobs of {JOBS} have run, and {left} are left: {report:?}", self.name).into()
            );
        }
        self.print("run and told", JOBS, took, self.budgets[2]);
        Ok(())
    }

    /// From the dispatch of one job to a worker in this process that has nothing to do, until it begins.
    async fn beside(&self) -> Result<()> {
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let (waited, mut waits) = tokio::sync::mpsc::unbounded_channel();
        let app = app(move |wait| {
            let _ = waited.send(Duration::from_nanos(wait));
        })?;
        let worker = worker(&self.queue, &app, WorkerLimits::default());
        let worker = paravel::spawn(worker.run(async { drop(stopped.await) }));
        self.idle("this process", async || Ok(waits.recv().await.ok_or("the worker is gone")?)).await?;
        drop(stop);
        worker.await?;
        Ok(())
    }

    /// The same of a worker in a process of its own, and what that process takes.
    async fn apart(&self, place: &str) -> Result<()> {
        let mut apart = Apart::begin(self, place).await?;
        self.idle("another process", async || apart.next_wait()).await?;
        for first in (0..JOBS).step_by(BULK) {
            self.queue.dispatch_many((first..first + u32::try_from(BULK)?).map(Nothing::number)).await?;
        }
        // Nobody is told when another process has done with them.
        while self.queue.depth("default").await?.total() > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let process = apart.id();
        if let Some(bytes) = resident(process) {
            let mib = bytes as f64 / f64::from(1 << 20);
            println!("{}: a worker's process has {mib:.1} MiB in memory after {JOBS} jobs (budget 20 MB)", self.name);
        }
        let before = computed(process);
        tokio::time::sleep(IDLE).await;
        if let (Some(before), Some(after)) = (before, computed(process)) {
            let percent = (after - before).as_secs_f64() / IDLE.as_secs_f64() * 100.0;
            println!("{}: a worker that has nothing to do takes {percent:.1}% of a core", self.name);
        }
        apart.end()
    }

    async fn idle(&self, place: &str, mut next_wait: impl AsyncFnMut() -> Result<Duration>) -> Result<()> {
        let mut waits = Vec::with_capacity(SINGLES);
        for _ in 0..SINGLES {
            // Until the worker has nothing to do again.
            tokio::time::sleep(Duration::from_millis(8)).await;
            self.queue.dispatch(Ping { at: now()? }).await?;
            waits.push(next_wait().await?);
        }
        waits.sort_unstable();
        let (median, late) = (waits[SINGLES / 2], waits[SINGLES * 99 / 100]);
        println!(
            "{}: from dispatch to begun by an idle worker in {place}: median {median:.1?}, p99 {late:.1?} (budget 5 ms)",
            self.name
        );
        Ok(())
    }
}

/// Runs a task for each job.
async fn tasks() -> Result<()> {
    let mut tasks = tokio::task::JoinSet::new();
    for number in 0..JOBS {
        tasks.spawn(async move { SEEN[number as usize / 64].fetch_or(1 << (number % 64), Relaxed) });
    }
    tasks.join_all().await;
    Ok(())
}

/// A figure above which nothing is asked.
const ANY: Option<f64> = None;

async fn subjects() -> Result<Vec<Subject>> {
    let memory = Arc::new(MemoryDriver::new(Arc::new(SystemClock)));
    let subjects = [
        Some(Subject::new("memory", memory, [ANY, ANY, Some(1_000_000.0)])),
        #[cfg(all(feature = "sqlite", feature = "testing"))]
        database::subject::<paravel::database::SqliteConn>([Some(200_000.0), Some(50_000.0), Some(50_000.0)]).await?,
        #[cfg(all(feature = "postgres", feature = "testing"))]
        database::subject::<paravel::database::PgConn>([ANY, ANY, Some(20_000.0)]).await?,
        #[cfg(all(feature = "mysql", feature = "testing"))]
        database::subject::<paravel::database::MysqlConn>([ANY; 3]).await?,
        #[cfg(feature = "redis")]
        redis::subject()?,
    ];
    Ok(subjects.into_iter().flatten().collect())
}

#[tokio::main]
async fn main() -> Result<()> {
    if let [_, role, name, place] = &*std::env::args().collect::<Vec<_>>()
        && role == WORKER
    {
        return Apart::work(name, place).await;
    }
    machine::print();
    let only: Vec<_> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    for subject in subjects().await? {
        if only.is_empty() || only.iter().any(|name| name == subject.name) {
            subject.run().await?;
        }
    }
    Ok(())
}
