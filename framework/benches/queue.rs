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

mod machine;

use std::{
    any::Any,
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStdout, Command, Stdio},
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

type Result<T> = std::result::Result<T, BoxError>;

const JOBS: u32 = 100_000;
/// In one push.
const BULK: usize = 1_000;
const CLIENTS: u32 = 64;
/// How often one job is dispatched to a worker that has nothing to do.
const SINGLES: usize = 300;
/// For how long a worker that has nothing to do is watched.
const IDLE: Duration = Duration::from_secs(10);
/// What a process of a worker's own is told first.
const WORKER: &str = "worker";

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

/// What a process has in memory, in bytes.
fn resident(process: u32) -> Option<u64> {
    let pages = std::fs::read_to_string(format!("/proc/{process}/statm")).ok()?;
    Some(pages.split(' ').nth(1)?.parse::<u64>().ok()? * 4096)
}

/// For how long a process has had a core to itself.
fn computed(process: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // After the name, which is in brackets: the 14th and 15th, in hundredths of a second.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(Duration::from_millis(ticks * 10))
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

/// A worker in a process of its own, which says on its output how long each [`Ping`] has waited, and ends with its input.
struct Apart {
    process: Child,
    says: BufReader<ChildStdout>,
}

impl Apart {
    async fn begin(subject: &Subject, place: &str) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args([WORKER, subject.name, place]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn()?;
        let says = BufReader::new(process.stdout.take().ok_or("its output is piped")?);
        while subject.queue.workers().await?.is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(Self { process, says })
    }

    /// What a process that was begun so does.
    async fn work(name: &str, place: &str) -> Result<()> {
        let app = app(|waited| println!("{waited}"))?;
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        std::thread::spawn(move || {
            let _ = std::io::stdin().read(&mut [0]);
            drop(stop);
        });
        worker(&queue_at(name, place)?, &app, WorkerLimits::default()).run(async { drop(stopped.await) }).await;
        Ok(())
    }

    fn next_wait(&mut self) -> Result<Duration> {
        let mut line = String::new();
        self.says.read_line(&mut line)?;
        Ok(Duration::from_nanos(line.trim().parse()?))
    }

    fn end(mut self) -> Result<()> {
        drop(self.process.stdin.take());
        self.process.wait()?;
        Ok(())
    }
}

/// The queues of another process.
fn queue_at(name: &str, place: &str) -> Result<Queue> {
    let driver: Arc<dyn Driver> = match name {
        #[cfg(all(feature = "sqlite", feature = "testing"))]
        "sqlite" => database::driver::<paravel::database::SqliteConn>(place)?,
        #[cfg(all(feature = "postgres", feature = "testing"))]
        "postgres" => database::driver::<paravel::database::PgConn>(place)?,
        #[cfg(all(feature = "mysql", feature = "testing"))]
        "mysql" => database::driver::<paravel::database::MysqlConn>(place)?,
        #[cfg(feature = "redis")]
        "redis" => redis_driver(place)?.1,
        _ => return Err(format!("{name}, {place}: there are no such queues").into()),
    };
    Ok(Queue::new(driver, WireFormat::MessagePack, Arc::new(SystemClock)))
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
        while self.queue.depth("default").await?.total() > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let process = apart.process.id();
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
    #[expect(clippy::allow_attributes, reason = "which drivers there are is the features' affair")]
    #[allow(unused_mut, reason = "there may be no other")]
    let mut subjects = vec![Subject::new("memory", memory, [ANY, ANY, Some(1_000_000.0)])];
    #[cfg(all(feature = "sqlite", feature = "testing"))]
    subjects.extend(
        database::subject::<paravel::database::SqliteConn>([Some(200_000.0), Some(50_000.0), Some(50_000.0)]).await?,
    );
    #[cfg(all(feature = "postgres", feature = "testing"))]
    subjects.extend(database::subject::<paravel::database::PgConn>([ANY, ANY, Some(20_000.0)]).await?);
    #[cfg(all(feature = "mysql", feature = "testing"))]
    subjects.extend(database::subject::<paravel::database::MysqlConn>([ANY; 3]).await?);
    #[cfg(feature = "redis")]
    subjects.extend(redis()?);
    Ok(subjects)
}

/// Queues in a database of this benchmark's own.
#[cfg(feature = "testing")]
mod database {
    use paravel::{
        config::DatabaseConfig,
        database::{Connection, DatabaseAdmin, Db, DbError, Migrator, Statement, TOOLKIT_MIGRATIONS},
        queue::DatabaseDriver,
        testing::TestDatabase,
    };

    use futures_util::future::FutureExt;

    use super::{Arc, BULK, Bare, Driver, Env, JOBS, Result, Stored, Subject, SystemClock};

    fn open<C: Connection>(url: &str) -> Result<Arc<Db<C>>> {
        Ok(Arc::new(Db::new(DatabaseConfig::from_env(&Env::from_pairs([("DATABASE_URL", url)])))?))
    }

    pub fn driver<C: Connection>(url: &str) -> Result<Arc<dyn Driver>> {
        Ok(Arc::new(DatabaseDriver::new(open::<C>(url)?, Arc::new(SystemClock))))
    }

    pub async fn subject<C: Connection>(budgets: [Option<f64>; 3]) -> Result<Option<Subject>> {
        let Some(own) = TestDatabase::create(C::BACKEND)? else { return Ok(None) };
        let db = open::<C>(own.url())?;
        Migrator::new(Arc::clone(&db) as _, Arc::new(SystemClock), TOOLKIT_MIGRATIONS).migrate().await?;
        let admin: Arc<dyn DatabaseAdmin> = Arc::clone(&db) as _;
        let subject =
            Subject::new(C::BACKEND, Arc::new(DatabaseDriver::new(Arc::clone(&db), Arc::new(SystemClock))), budgets);
        let bytes = match C::BACKEND {
            "postgres" => "bytea",
            _ => "blob",
        };
        let key = match C::BACKEND {
            "postgres" => "bigserial primary key",
            "mysql" => "bigint primary key auto_increment",
            _ => "integer primary key autoincrement",
        };
        admin.apply(None, format!("create table bare (id {key}, payload {bytes} not null)")).await?;
        let rows = vec!["(?)"; BULK].join(", ");
        let insert = Statement::new(format!("insert into bare (payload) values {rows}"));
        let insert = (0..BULK).fold(insert, |insert, _| insert.bind(vec![b'x'; 100]));
        let bare: Bare = (
            "rows put in by 1,000",
            Box::new(move || {
                let (db, insert) = (Arc::clone(&db), insert.clone());
                async move {
                    for _ in 0..JOBS as usize / BULK {
                        let insert = insert.clone();
                        db.write(async move |c| Ok::<_, DbError>(c.run(&insert).await?)).await?;
                    }
                    Ok(())
                }
                .boxed()
            }),
        );
        let size = match C::BACKEND {
            "postgres" => "select pg_total_relation_size('queue_jobs') as n",
            "mysql" => {
                "select data_length + index_length as n from information_schema.tables \
                 where table_schema = database() and table_name = 'queue_jobs'"
            }
            _ => {
                "select (select page_count from pragma_page_count) * (select page_size from pragma_page_size) \
                 - (select freelist_count from pragma_freelist_count) * (select page_size from pragma_page_size) as n"
            }
        };
        let stored: Stored = Box::new(move || {
            let admin: Arc<dyn DatabaseAdmin> = Arc::clone(&admin);
            async move {
                if C::BACKEND == "mysql" {
                    // Else it is what the statistics were when they were last made.
                    admin.fetch(Statement::new("analyze table queue_jobs")).await.ok()?;
                }
                Some(admin.fetch(Statement::new(size)).await.ok()?.first()?.integer("n").cast_unsigned())
            }
            .boxed()
        });
        Ok(Some(Subject { stored, bare, place: Some(own.url().to_owned()), _kept: Box::new(own), ..subject }))
    }
}

/// Queues of their own on the server of `TEST_REDIS_URL`.
#[cfg(feature = "redis")]
fn redis() -> Result<Option<Subject>> {
    if std::env::var_os("TEST_REDIS_URL").is_none() {
        return Ok(None);
    }
    let prefix = format!("bench-{}:", paravel::support::Id::<()>::new());
    let (redis, driver) = redis_driver(&prefix)?;
    let (bare_redis, key) = (Arc::clone(&redis), format!("{prefix}bare"));
    let bare: Bare = (
        "entries put into a stream by 1,000",
        Box::new(move || {
            let (redis, key) = (Arc::clone(&bare_redis), key.clone());
            async move {
                for _ in 0..JOBS as usize / BULK {
                    let mut entries = paravel::redis::pipe();
                    for _ in 0..BULK {
                        let entry =
                            paravel::redis::cmd("XADD").arg(&key).arg("*").arg("b").arg(&[b'x'; 100][..]).take();
                        entries.add_command(entry).ignore();
                    }
                    redis.run(&entries).await?;
                }
                Ok(redis.run(paravel::redis::cmd("DEL").arg(&key)).await?)
            }
            .boxed()
        }),
    );
    let stored: Stored = Box::new(move || {
        let redis = Arc::clone(&redis);
        async move {
            let info: String = redis.query(paravel::redis::cmd("INFO").arg("memory")).await.ok()?;
            info.lines().find_map(|line| line.strip_prefix("used_memory:"))?.trim().parse().ok()
        }
        .boxed()
    });
    let subject = Subject::new("redis", driver, [Some(300_000.0), ANY, Some(150_000.0)]);
    Ok(Some(Subject { stored, bare, place: Some(prefix), ..subject }))
}

/// Those under a prefix.
#[cfg(feature = "redis")]
fn redis_driver(prefix: &str) -> Result<(Arc<paravel::redis::Redis>, Arc<dyn Driver>)> {
    let url = std::env::var("TEST_REDIS_URL")?;
    let env = Env::from_pairs([("REDIS_URL", &*url), ("REDIS_PREFIX", prefix), ("REDIS_TIMEOUT", "10s")]);
    let redis = Arc::new(paravel::redis::Redis::new(&paravel::config::RedisConfig::from_env(&env))?);
    let driver = paravel::queue::RedisDriver::new(Arc::clone(&redis), Arc::new(SystemClock));
    Ok((redis, Arc::new(driver)))
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
