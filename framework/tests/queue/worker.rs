//! What a worker makes of jobs: real ones, through the container.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use paravel::{
    cache::Cache,
    config::QueueConfig,
    container::{Container, ContainerBuilder},
    queue::{Backoff, Drivers, Job, JobEntry, JobFailed, JobRun, Jobs, Queue, UniqueKey, Worker, WorkerReport},
    support::{BoxError, Clock, Env, Signal, SignalSink},
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::oneshot;

use super::{Stand, message};

/// What the jobs of a test did.
#[derive(Default)]
pub struct Seen {
    pub ran: Mutex<Vec<String>>,
    now: AtomicUsize,
    most: AtomicUsize,
    pub failed: Mutex<Vec<JobFailed>>,
}

impl Seen {
    /// One more runs.
    pub fn enter(&self) {
        let now = self.now.fetch_add(1, SeqCst) + 1;
        self.most.fetch_max(now, SeqCst);
    }

    /// One less runs.
    pub fn leave(&self) {
        self.now.fetch_sub(1, SeqCst);
    }

    /// How many run.
    pub fn at_once(&self) -> usize {
        self.now.load(SeqCst)
    }

    pub fn most_at_once(&self) -> usize {
        self.most.load(SeqCst)
    }
}

impl SignalSink for Seen {
    fn raise(self: Arc<Self>, signal: Signal) {
        self.failed.lock().extend(signal.value().downcast_ref::<JobFailed>().cloned());
    }
}

#[derive(Serialize, Deserialize)]
pub struct Count {
    what: String,
}

impl Count {
    pub fn of(what: &str) -> Self {
        Self { what: what.to_owned() }
    }
}

impl Job for Count {
    const NAME: &'static str = "test.count";
    const QUEUE: &'static str = "count";
    const TRIES: u32 = 3;
    const BACKOFF: Backoff = Backoff::Fixed(Duration::from_secs(10));
    const TIMEOUT: Duration = Duration::from_secs(30);
    type Dependencies = (Arc<Seen>,);

    async fn handle(self, (seen,): Self::Dependencies, run: &JobRun) -> Result<(), BoxError> {
        seen.ran.lock().push(format!("{} {}", self.what, run.attempt()));
        seen.enter();
        let result = match &*self.what {
            "fails" => Err("as it has to".into()),
            "panics" => panic!("on purpose"),
            "never ends" => std::future::pending().await,
            "works later" if run.attempt() < 3 => Err("not yet".into()),
            "releases" if seen.ran.lock().len() < 3 => {
                run.release(Duration::from_secs(5));
                Ok(())
            }
            "gives up" => {
                run.fail("there is no point");
                Ok(())
            }
            "stops" => {
                run.stopping().await;
                assert!(run.should_stop());
                Ok(())
            }
            "takes a second" => {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok(())
            }
            _ => Ok(()),
        };
        seen.leave();
        result
    }

    fn unique(&self) -> Option<UniqueKey> {
        self.what.strip_prefix("unique ").map(UniqueKey::new)
    }
}

/// A job that had another form once.
#[derive(Serialize, Deserialize)]
struct Old {
    name: String,
}

#[derive(Serialize, Deserialize)]
struct New {
    first: String,
    last: String,
}

impl Job for Old {
    const NAME: &'static str = "test.named";
    type Dependencies = ();

    async fn handle(self, (): (), _: &JobRun) -> Result<(), BoxError> {
        Ok(())
    }
}

impl Job for New {
    const NAME: &'static str = "test.named";
    const VERSION: u16 = 2;
    type Dependencies = (Arc<Seen>,);

    async fn handle(self, (seen,): Self::Dependencies, _: &JobRun) -> Result<(), BoxError> {
        seen.ran.lock().push(format!("{}, {}", self.last, self.first));
        Ok(())
    }

    fn upcast(version: u16, fields: Value) -> Result<Self, BoxError> {
        let Some((first, last)) = fields["name"].as_str().and_then(|name| name.split_once(' ')) else {
            return Err(format!("form {version} has no full name").into());
        };
        Ok(Self { first: first.to_owned(), last: last.to_owned() })
    }
}

pub struct Bench {
    pub stand: Stand,
    pub seen: Arc<Seen>,
    pub app: Container,
    pub queue: Queue,
}

impl Bench {
    pub fn new() -> Self {
        Self::on(Stand::memory())
    }

    pub fn on(stand: Stand) -> Self {
        let seen = Arc::new(Seen::default());
        let mut app = ContainerBuilder::new();
        app.instance(Arc::clone(&seen));
        app.instance::<dyn SignalSink>(Arc::clone(&seen) as _);
        app.instance(Arc::new(Jobs::collect([JobEntry::of::<Count>()])));
        app.instance(Arc::new(Cache::memory("default", 1 << 20)));
        let queue = stand.queue();
        Self { stand, seen, app: app.freeze().unwrap(), queue }
    }

    pub fn worker(&self, more: &[(&str, &str)]) -> Worker {
        let jobs = Jobs::collect([JobEntry::of::<Count>(), JobEntry::of::<New>()]);
        let env = Env::from_pairs(more.iter().copied());
        let config = QueueConfig::from_env(&env);
        env.check().unwrap();
        Worker::new(self.queue.clone(), Arc::new(jobs), &config, self.app.clone(), ["count", "default", "harbour"])
    }

    /// Works until there is nothing left to do.
    pub async fn work(&self) -> WorkerReport {
        let (stop, stopped) = oneshot::channel::<()>();
        let worker = paravel::spawn(self.worker(&[]).run(async move {
            let _ = stopped.await;
        }));
        loop {
            if self.queue.depths().await.unwrap().iter().all(|(_, depth)| depth.total() == 0) {
                break;
            }
            // The test's clocks go together.
            self.stand.advance(Duration::from_millis(100)).await;
        }
        drop(stop);
        worker.await.unwrap()
    }

    pub fn ran(&self) -> Vec<String> {
        self.seen.ran.lock().clone()
    }
}

#[tokio::test(start_paused = true)]
async fn jobs_are_run_with_what_they_need_and_are_gone() {
    let bench = Bench::new();
    let ids = bench.queue.dispatch_many((0..100).map(|number| Count::of(&number.to_string()))).await.unwrap();
    assert!(ids.len() == 100 && ids.iter().all(Option::is_some));
    let report = bench.work().await;
    assert_eq!((report.done, report.failed, report.retried, report.stale), (100, 0, 0, 0));
    let mut ran = bench.ran();
    ran.sort_unstable();
    ran.dedup();
    assert_eq!(ran.len(), 100);
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_tried_again_after_its_back_off_and_then_put_aside() {
    let bench = Bench::new();
    let began = bench.stand.clock.now();
    bench.queue.dispatch(Count::of("works later")).await.unwrap();
    let id = bench.queue.dispatch(Count::of("fails")).await.unwrap().unwrap();
    let report = bench.work().await;
    assert_eq!((report.done, report.retried, report.failed), (1, 4, 1));
    let took = bench.stand.clock.now().utc() - began.utc();
    assert!(took.num_seconds() >= 20 && took.num_seconds() < 30, "twice ten seconds, and up to a quarter: {took}");
    let failed = bench.queue.failed().await.unwrap();
    assert_eq!((failed[0].message.id, &*failed[0].error, failed[0].attempts), (id, "as it has to", 3));
    let heard = bench.seen.failed.lock().clone();
    assert_eq!((heard.len(), heard[0].id, &*heard[0].kind, heard[0].attempts), (1, id, "test.count", 3));
}

#[tokio::test(start_paused = true)]
async fn the_pauses_between_attempts_may_double_up_to_the_longest() {
    let bench = Bench::new();
    let began = bench.stand.clock.now();
    let (first, longest) = (Duration::from_secs(10), Duration::from_secs(40));
    bench
        .queue
        .job(Count::of("fails"))
        .tries(5)
        .backoff(Backoff::Exponential(first, longest))
        .dispatch()
        .await
        .unwrap();
    assert_eq!(bench.work().await.retried, 4);
    // 10, 20, 40 and 40 again, each up to a quarter longer; and a step of the test's clock before each.
    let took = bench.stand.clock.now().utc() - began.utc();
    assert!(took.num_seconds() >= 110 && took.num_seconds() < 140, "{took}");
    assert_eq!(Backoff::Exponential(first, longest).after(u32::MAX), longest);
}

#[tokio::test(start_paused = true)]
async fn a_job_is_tried_no_longer_than_it_may_be() {
    let bench = Bench::new();
    let began = bench.stand.clock.now();
    let lasts = Duration::from_secs(38);
    bench.queue.job(Count::of("fails")).tries(100).retry_for(lasts).dispatch().await.unwrap();
    bench.work().await;
    // Ten seconds apart, up to a quarter more: the next one would be too late.
    let took = bench.stand.clock.now().utc() - began.utc();
    assert!(took.num_seconds() < 40, "{took}");
    let failed = bench.queue.failed().await.unwrap();
    assert_eq!((failed[0].attempts, &*failed[0].error), (4, "as it has to"));
    // One that nobody came to in that time is not begun with.
    bench.queue.job(Count::of("comes too late")).retry_for(lasts).dispatch().await.unwrap();
    bench.stand.advance(lasts).await;
    bench.work().await;
    assert_eq!(bench.ran().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_panic_and_a_job_that_never_ends_are_failures() {
    let bench = Bench::new();
    bench.queue.job(Count::of("panics")).tries(1).dispatch().await.unwrap();
    bench.queue.job(Count::of("never ends")).tries(1).dispatch().await.unwrap();
    bench.queue.dispatch(Count::of("gives up")).await.unwrap();
    let report = bench.work().await;
    assert_eq!((report.done, report.retried, report.failed), (0, 0, 3));
    let mut errors: Vec<_> = bench.queue.failed().await.unwrap().into_iter().map(|job| job.error).collect();
    errors.sort_unstable();
    assert_eq!(errors[1..], ["it took longer than 30s", "there is no point"]);
    assert!(errors[0].starts_with("it panicked at ") && errors[0].contains(": on purpose"), "{}", errors[0]);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_releases_itself_has_not_been_tried() {
    let bench = Bench::new();
    bench.queue.dispatch(Count::of("releases")).await.unwrap();
    let report = bench.work().await;
    assert_eq!((report.released, report.done), (2, 1));
    assert_eq!(bench.ran(), vec!["releases 1"; 3]);
}

#[tokio::test(start_paused = true)]
async fn a_delayed_job_waits_and_a_unique_one_is_there_once() {
    let bench = Bench::new();
    let began = bench.stand.clock.now();
    bench.queue.dispatch_after(Duration::from_secs(90), Count::of("later")).await.unwrap();
    assert!(bench.queue.dispatch(Count::of("unique a")).await.unwrap().is_some());
    assert!(bench.queue.dispatch(Count::of("unique a")).await.unwrap().is_none());
    assert!(bench.queue.dispatch(Count::of("unique b")).await.unwrap().is_some());
    bench.work().await;
    assert_eq!(bench.ran(), ["unique a 1", "unique b 1", "later 1"]);
    let took = (bench.stand.clock.now().utc() - began.utc()).num_seconds();
    assert!((90..93).contains(&took), "{took}");
}

#[tokio::test(start_paused = true)]
async fn so_many_run_at_once_and_no_more() {
    let bench = Bench::new();
    bench.queue.dispatch_many((0..12).map(|_| Count::of("takes a second"))).await.unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let worker = bench.worker(&[]).concurrency(4);
    let worker = paravel::spawn(worker.run(async move {
        let _ = stopped.await;
    }));
    while bench.queue.depth("count").await.unwrap().total() > 0 {
        bench.stand.advance(Duration::from_millis(50)).await;
    }
    drop(stop);
    assert_eq!(worker.await.unwrap().done, 12);
    assert_eq!(bench.seen.most_at_once(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_stopped_puts_back_what_does_not_end() {
    let bench = Bench::new();
    bench.queue.dispatch(Count::of("stops")).await.unwrap();
    bench.queue.dispatch(Count::of("never ends")).await.unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let worker = paravel::spawn(bench.worker(&[("QUEUE_GRACE", "5s")]).run(async move {
        let _ = stopped.await;
    }));
    while bench.ran().len() < 2 {
        bench.stand.advance(Duration::from_millis(10)).await;
    }
    drop(stop);
    let report = worker.await.unwrap();
    assert_eq!((report.done, report.released), (1, 1));
    let depth = bench.queue.depth("count").await.unwrap();
    assert_eq!((depth.ready, depth.running), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn a_kind_that_is_not_known_here_is_left_and_what_cannot_be_read_is_put_aside() {
    let bench = Bench::new();
    // What keeps its place does not keep others from theirs.
    bench.stand.driver.push(vec![message("count")].into()).await.unwrap();
    let unknown = Queue::clone(&bench.queue);
    #[derive(Serialize, Deserialize)]
    struct Elsewhere;
    impl Job for Elsewhere {
        const NAME: &'static str = "test.elsewhere";
        const QUEUE: &'static str = "count";
        type Dependencies = ();

        async fn handle(self, (): (), _: &JobRun) -> Result<(), BoxError> {
            Ok(())
        }
    }
    unknown.dispatch(Elsewhere).await.unwrap();
    bench.queue.dispatch(Count::of("known")).await.unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let worker = paravel::spawn(bench.worker(&[]).run(async move {
        let _ = stopped.await;
    }));
    while bench.ran().is_empty() || bench.queue.depth("count").await.unwrap().running > 0 {
        bench.stand.advance(Duration::from_millis(10)).await;
    }
    drop(stop);
    let report = worker.await.unwrap();
    assert_eq!((report.done, report.failed, report.released), (1, 1, 1));
    let failed = bench.queue.failed().await.unwrap();
    assert!(failed[0].error.starts_with("it cannot be read: it is laid out as number 0"), "{}", failed[0].error);
    assert_eq!(bench.queue.depth("count").await.unwrap().scheduled, 1, "another worker may know it");
}

#[tokio::test(start_paused = true)]
async fn a_job_in_an_older_form_is_brought_up_to_date() {
    let bench = Bench::new();
    bench.queue.dispatch(Old { name: "Lucy Pevensie".to_owned() }).await.unwrap();
    // Which is the same at each attempt, so that there is one.
    bench.queue.job(Old { name: "Reepicheep".to_owned() }).tries(5).dispatch().await.unwrap();
    let report = bench.work().await;
    assert_eq!((report.done, report.retried, report.failed), (1, 0, 1));
    assert_eq!(bench.ran(), ["Pevensie, Lucy"]);
    assert_eq!(bench.queue.failed().await.unwrap()[0].error, "its fields cannot be read: form 1 has no full name");
}

#[tokio::test]
async fn a_job_may_run_where_it_is_dispatched() {
    let bench = Bench::new();
    let app = bench.app.scope();
    app.run(bench.queue.dispatch_sync(Count::of("here"))).await.unwrap();
    let error = app.run(bench.queue.dispatch_sync(Count::of("fails"))).await.unwrap_err();
    assert_eq!(error.to_string(), "the job `test.count` failed: as it has to");
    let env = Env::from_pairs([("QUEUE_CONNECTION", "sync")]);
    let sync =
        Queue::from_config(&QueueConfig::from_env(&env), Drivers::default(), &(Arc::clone(&bench.stand.clock) as _));
    let sync = sync.unwrap();
    env.check().unwrap();
    app.run(sync.dispatch(Count::of("at once"))).await.unwrap();
    assert_eq!(bench.ran(), ["here 1", "fails 1", "at once 1"]);
}

/// What nobody else is to read.
#[derive(Serialize, Deserialize)]
struct Secret {
    word: String,
}

#[paravel::job(name = "test.secret", encrypted, tries = 1)]
impl Secret {
    async fn handle(self, seen: Option<Arc<Seen>>, run: &JobRun) -> Result<(), BoxError> {
        let seen = seen.ok_or("nothing is seen here")?;
        seen.ran.lock().push(self.word.clone());
        run.checkpoint(&self)?;
        if self.word == "keeps" { Err("later".into()) } else { Ok(()) }
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_encrypted_is_read_by_nobody_else() {
    let bench = Bench::new();
    let key = |crypter: &paravel::crypt::Crypter| bench.queue.clone().encrypting(Arc::new(crypter.clone()));
    let crypter = paravel::crypt::Crypter::new(&paravel::support::AppKey::generate().unwrap());
    let error = bench.queue.dispatch(Secret { word: "open".to_owned() }).await.unwrap_err();
    assert!(error.to_string().contains("has no key"), "{error}");
    let queue = key(&crypter);
    queue.dispatch(Secret { word: "aravis".to_owned() }).await.unwrap();
    let stored = queue.driver().admin().peek("default", None).await.unwrap().messages.remove(0).payload;
    assert!(!stored.windows(6).any(|window| window == b"aravis"), "its kind can be read, and its fields cannot");
    assert!(stored.windows(11).any(|window| window == b"test.secret"));
    // By a worker with another key.
    let jobs = Arc::new(Jobs::collect([]));
    let config = QueueConfig::from_env(&Env::from_pairs::<&str, &str>([]));
    let until_empty = paravel::queue::WorkerLimits { when_empty: true, ..Default::default() };
    let work = |queue: Queue| {
        let worker = Worker::new(queue, Arc::clone(&jobs), &config, bench.app.clone(), ["default"]);
        worker.limits(until_empty).run(std::future::pending())
    };
    let other = paravel::crypt::Crypter::new(&paravel::support::AppKey::generate().unwrap());
    assert_eq!(work(key(&other)).await.failed, 1);
    let failed = queue.failed().await.unwrap().remove(0);
    assert!(failed.error.starts_with("it cannot be decrypted: "), "{}", failed.error);
    // And then with its own.
    assert_eq!(queue.retry(&[failed.message.id]).await.unwrap(), 1);
    assert_eq!(work(queue.clone()).await.done, 1);
    assert_eq!(bench.ran(), ["aravis"]);
}

#[derive(Serialize, Deserialize)]
struct Traced;

#[paravel::job(name = "test.traced")]
impl Traced {
    async fn handle(self, seen: Option<Arc<Seen>>) -> Result<(), BoxError> {
        let seen = seen.ok_or("nothing is seen here")?;
        let app = paravel::container::current()?;
        let trace = app.current_scope().and_then(|scope| scope.get::<paravel::support::TraceId>());
        seen.ran.lock().push(trace.map_or_else(|| "none".to_owned(), |trace| trace.as_str().to_owned()));
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_belongs_to_the_request_that_dispatched_it() {
    let bench = Bench::new();
    let scope = paravel::container::Scope::new();
    scope.set(paravel::support::TraceId::new("request-7"));
    let request = bench.app.with_scope(Arc::new(scope));
    request.run(bench.queue.dispatch(Traced)).await.unwrap();
    bench.queue.dispatch(Traced).await.unwrap();
    let jobs = Arc::new(Jobs::collect([]));
    let config = QueueConfig::from_env(&Env::from_pairs::<&str, &str>([]));
    let until_empty = paravel::queue::WorkerLimits { when_empty: true, ..Default::default() };
    let worker = Worker::new(bench.queue.clone(), jobs, &config, bench.app.clone(), ["default"]);
    worker.limits(until_empty).run(std::future::pending()).await;
    let mut ran = bench.ran();
    ran.sort_unstable();
    assert_eq!(ran, ["none", "request-7"]);
}
