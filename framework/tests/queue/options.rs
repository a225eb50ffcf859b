//! What a job's options make of it.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use paravel::{
    config::QueueConfig,
    foundation::Application,
    job,
    queue::{
        Backoff, Chain, Job, JobEntry, JobRun, Jobs, Message, Priority, Queue, UniqueKey, Worker, WorkerLimits,
        WorkerReport,
    },
    support::{BoxError, Clock, Env, WireFormat},
    testing::TestApp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Stand, Told,
    worker::{Bench, Count, Seen},
};
use crate::{events::Journal, services::logging::Lines};

const SECOND: Duration = Duration::from_secs(1);

/// Works until nothing is ready any more.
async fn once(bench: &Bench, queue: &Queue) -> WorkerReport {
    let config = QueueConfig::from_env(&Env::from_pairs([("QUEUE_CONCURRENCY", "1")]));
    let jobs = Arc::new(Jobs::collect([JobEntry::of::<Count>()]));
    let worker = Worker::new(queue.clone(), jobs, &config, bench.app.clone(), ["count", "harbour"]);
    let until_empty = WorkerLimits { when_empty: true, ..WorkerLimits::default() };
    worker.limits(until_empty).run(std::future::pending()).await
}

async fn waiting(bench: &Bench, queue: &str) -> Vec<Message> {
    bench.stand.driver.admin().peek(queue, None).await.unwrap().messages
}

/// A bench, and what its driver is told.
fn listening() -> (Bench, Arc<Told>) {
    let mut stand = Stand::memory();
    let told = Told::before(&mut stand);
    (Bench::on(stand), told)
}

#[tokio::test(start_paused = true)]
async fn after_each_attempt_it_waits_as_long_as_its_back_off_says_and_up_to_a_quarter_more() {
    let list = |list: &[u64]| Backoff::List(list.iter().map(|seconds| Duration::from_secs(*seconds)).collect());
    for (backoff, tries, waits) in [
        (list(&[10, 60, 20]), 6, vec![10, 60, 20, 20, 20]),
        (list(&[5]), 3, vec![5, 5]),
        (Backoff::Fixed(7 * SECOND), 4, vec![7, 7, 7]),
        (Backoff::Exponential(SECOND, 3 * SECOND), 5, vec![1, 2, 3, 3]),
    ] {
        let (bench, told) = listening();
        bench.queue.job(Count::of("fails")).tries(tries).backoff(backoff.clone()).dispatch().await.unwrap();
        for base in waits.iter().map(|seconds| Duration::from_secs(*seconds)) {
            assert_eq!(once(&bench, &bench.queue).await.retried, 1);
            let waits = *told.retries(bench.stand.clock.now()).last().unwrap();
            assert!(waits >= base && waits <= base * 5 / 4, "{backoff:?}: {waits:?}");
            bench.stand.clock.advance(waits);
        }
        assert_eq!(once(&bench, &bench.queue).await.failed, 1);
        assert_eq!(bench.queue.failed().await.unwrap()[0].attempts, tries);
    }
}

#[tokio::test(start_paused = true)]
async fn what_failed_together_does_not_come_back_together() {
    let (bench, told) = listening();
    bench.queue.dispatch_many((0..200).map(|_| Count::of("fails"))).await.unwrap();
    assert_eq!(once(&bench, &bench.queue).await.retried, 200);
    let waits: BTreeSet<_> = told.retries(bench.stand.clock.now()).into_iter().collect();
    let (first, last) = (*waits.first().unwrap(), *waits.last().unwrap());
    assert!(first >= 10 * SECOND && last <= 10 * SECOND * 5 / 4, "{first:?} to {last:?}");
    // Of 200 that are spread over a quarter, that all are in a half of it is as good as impossible.
    assert!(waits.len() > 100 && last - first > 10 * SECOND / 8, "{} moments, {first:?} to {last:?}", waits.len());
}

#[tokio::test(start_paused = true)]
async fn it_may_take_as_long_as_was_said() {
    for (timeout, said) in [(2 * SECOND, "it took longer than 2s"), (90 * SECOND, "it took longer than 90s")] {
        let bench = Bench::new();
        bench.queue.job(Count::of("never ends")).tries(1).timeout(timeout).dispatch().await.unwrap();
        let began = tokio::time::Instant::now();
        assert_eq!(once(&bench, &bench.queue).await.failed, 1);
        assert_eq!(bench.queue.failed().await.unwrap()[0].error, said);
        assert!(began.elapsed() >= timeout && began.elapsed() < timeout + SECOND, "{:?}", began.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_tried_as_often_as_was_said() {
    for (tries, attempts) in [(0, 1), (1, 1), (2, 2), (5, 5)] {
        let bench = Bench::new();
        bench.queue.job(Count::of("fails")).tries(tries).dispatch().await.unwrap();
        let report = bench.work().await;
        assert_eq!((report.retried, report.failed), (attempts - 1, 1), "{tries} tries");
        assert_eq!(u64::from(bench.queue.failed().await.unwrap()[0].attempts), attempts);
    }
}

#[tokio::test(start_paused = true)]
async fn the_most_urgent_run_first() {
    let bench = Bench::new();
    for (what, priority) in [("low", Priority::Low), ("normal", Priority::Normal), ("high", Priority::High)] {
        for _ in 0..2 {
            bench.queue.job(Count::of(what)).priority(priority).dispatch().await.unwrap();
        }
    }
    assert_eq!(once(&bench, &bench.queue).await.done, 6);
    assert_eq!(bench.ran(), ["high 1", "high 1", "normal 1", "normal 1", "low 1", "low 1"]);
}

/// Beside no other of its berth, and fails the first time.
#[derive(Serialize, Deserialize)]
struct Berth {
    until_start: bool,
    seconds: u64,
}

#[job(name = "test.berth", queue = "harbour", backoff = "1h")]
impl Berth {
    async fn handle(self, run: &JobRun) -> Result<(), BoxError> {
        if run.attempt() == 1 { Err("there is no wind".into()) } else { Ok(()) }
    }

    fn unique(&self) -> Option<UniqueKey> {
        let key = UniqueKey::new("one").lasting(Duration::from_secs(self.seconds));
        Some(if self.until_start { key.until_start() } else { key })
    }
}

#[tokio::test(start_paused = true)]
async fn a_unique_job_keeps_others_out_until_it_begins_or_for_as_long_as_was_said() {
    let long = 7 * 24 * 3600;
    // Whether the key is free right after the dispatch, after the first attempt, a minute later, and once it is done.
    for (until_start, seconds, free) in [
        (false, long, [false, false, false, true]),
        (true, long, [false, true, true, true]),
        (false, 60, [false, false, true, true]),
        (true, 60, [false, true, true, true]),
    ] {
        let bench = Bench::new();
        let berth = || Berth { until_start, seconds };
        // Of those that are let in, each goes at once, with its key.
        let is_free = async || match bench.queue.job(berth()).on("elsewhere").dispatch().await.unwrap() {
            None => false,
            Some(_) => bench.queue.clear("elsewhere").await.unwrap() == 1,
        };
        bench.queue.dispatch(berth()).await.unwrap().unwrap();
        let mut found = vec![is_free().await];
        assert_eq!(once(&bench, &bench.queue).await.retried, 1);
        found.push(is_free().await);
        bench.stand.clock.advance(60 * SECOND);
        found.push(is_free().await);
        bench.stand.clock.advance(2 * 3600 * SECOND);
        assert_eq!(once(&bench, &bench.queue).await.done, 1);
        found.push(is_free().await);
        assert_eq!(found, free, "until its start: {until_start}, for {seconds} seconds");
    }
}

/// Keeps how often it has been tried.
#[derive(Serialize, Deserialize)]
struct Sounding {
    depths: Vec<u32>,
}

#[job(name = "test.sounding", queue = "harbour", tries = 3, backoff = "1s")]
impl Sounding {
    async fn handle(mut self, seen: Option<Arc<Seen>>, run: &JobRun) -> Result<(), BoxError> {
        let seen = seen.ok_or("nothing is seen here")?;
        self.depths.push(run.attempt());
        seen.ran.lock().push(format!("{:?}", self.depths));
        run.checkpoint(&self)?;
        if run.is_last() { Ok(()) } else { Err("no ground".into()) }
    }
}

#[tokio::test(start_paused = true)]
async fn jobs_that_are_written_as_json_are_read_whole() {
    let bench = Bench::new();
    let queue = Queue::new(Arc::clone(&bench.stand.driver), WireFormat::Json, Arc::clone(&bench.stand.clock) as _);
    queue.chain(Chain::new().job(Sounding { depths: vec![40] }).job(Count::of("last"))).await.unwrap();
    let written = |payload: &[u8], json: &str| payload.windows(json.len()).any(|bytes| bytes == json.as_bytes());
    assert!(written(&waiting(&bench, "harbour").await[0].payload, r#"{"depths":[40]}"#));
    for _ in 0..2 {
        assert_eq!(once(&bench, &queue).await.retried, 1);
        bench.stand.clock.advance(2 * SECOND);
    }
    let kept = waiting(&bench, "harbour").await[0].payload.clone();
    assert!(written(&kept, r#"{"depths":[40,1,2]}"#), "what it has kept is JSON, too");
    // A worker that writes otherwise itself reads it all the same.
    assert_eq!(once(&bench, &bench.queue).await.done, 2);
    assert_eq!(bench.ran(), ["[40, 1]", "[40, 1, 2]", "[40, 1, 2, 3]", "last 1"]);
}

#[tokio::test]
async fn an_application_whose_jobs_are_json_runs_them_and_shows_them() {
    let env = Env::from_pairs([("QUEUE_FORMAT", "json")]);
    let builder = Application::builder().env(env).database::<paravel::database::SqliteConn>(&[]).replace(|app| {
        app.instance(Arc::<Seen>::default());
        // The listeners of other tests are in this binary.
        app.instance(Arc::new(Journal::default()));
    });
    let app = TestApp::boot(builder).await.unwrap();
    let queue = app.make::<Queue>().unwrap();
    let twice = queue.job(Sounding { depths: vec![7] }).tries(2).backoff(Backoff::Fixed(Duration::ZERO));
    twice.dispatch().await.unwrap();
    let report = app.work().await.unwrap();
    assert_eq!((report.retried, report.done), (1, 1));
    assert_eq!(*app.make::<Seen>().unwrap().ran.lock(), ["[7, 1]", "[7, 1, 2]"]);
    // One that fails is shown with its fields, and tried again.
    let id = queue.job(super::compose::say("fails")).dispatch().await.unwrap().unwrap();
    assert_eq!(app.work().await.unwrap().failed, 1);
    let shown: Value =
        serde_json::from_str(&app.artisan(&["queue:failed", &id.to_string(), "--json"]).await.unwrap()).unwrap();
    assert_eq!(shown["payload"]["fields"], json!({"what": "fails"}));
    assert!(app.artisan(&["queue:check"]).await.unwrap().ends_with("1 job(s) can be read.\n"));
    assert_eq!((queue.retry(&[id]).await.unwrap(), app.work().await.unwrap().failed), (1, 1));
}

#[derive(Serialize, Deserialize)]
struct Elsewhere;

impl Job for Elsewhere {
    const NAME: &'static str = "test.of_another_build";
    const QUEUE: &'static str = "count";
    type Dependencies = ();

    async fn handle(self, (): (), _: &JobRun) -> Result<(), BoxError> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_kind_that_is_not_known_here_it_is_said_once_and_the_jobs_stay() {
    let lines = Lines::default();
    let log = tracing_subscriber::fmt().with_writer(lines.clone()).with_ansi(false).finish();
    let _guard = tracing::subscriber::set_default(log);
    let bench = Bench::new();
    let ids = bench.queue.dispatch_many((0..3).map(|_| Elsewhere)).await.unwrap();
    let jobs = Arc::new(Jobs::collect([]));
    let config = QueueConfig::from_env(&Env::from_pairs::<&str, &str>([]));
    for _ in 0..3 {
        // The same process, which says so once.
        let worker = Worker::new(bench.queue.clone(), Arc::clone(&jobs), &config, bench.app.clone(), ["count"]);
        let until_empty = WorkerLimits { when_empty: true, ..WorkerLimits::default() };
        assert_eq!(worker.limits(until_empty).run(std::future::pending()).await.released, 3);
        bench.stand.clock.advance(60 * SECOND);
    }
    let said = lines.text();
    let said: Vec<_> = said.lines().filter(|line| line.contains("not known here")).collect();
    assert!(said.len() == 1 && said[0].contains("kind=\"test.of_another_build\""), "{said:?}");
    let left: BTreeSet<_> = waiting(&bench, "count").await.iter().map(|message| message.id).collect();
    assert_eq!(left, ids.into_iter().flatten().collect());
    assert!(bench.queue.failed().await.unwrap().is_empty());
}
