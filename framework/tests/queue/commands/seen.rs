//! What there is in the queues, and orders about it.

use std::{sync::Arc, time::Duration};

use paravel::{
    config::AlertConfig,
    crypt::Crypter,
    events::{EventBus, Monitor},
    queue::{Batch, Beat, Chain, Job, JobRun, QueueGauge, Worker, WorkerLimits},
    support::{AppKey, BoxError, Clock, Env, Gauge, Metric, Severity},
    testing::TestApp,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Bench, Moor, Sail, garbage};
use crate::queue::Stand;

fn queue(name: &str, ready: u64, oldest: Option<u64>, paused: bool) -> Value {
    json!({
        "queue": name, "ready": ready, "scheduled": 0, "running": 0, "oldest_wait": oldest, "paused": paused, "active": 0,
        "idle": 0,
    })
}

#[tokio::test(start_paused = true)]
async fn queue_monitor_shows_the_queues_and_who_works_on_them() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    let nobody = json!({"queues": [], "workers": 0, "running": 0, "concurrency": 0, "jobs_per_second": null});
    assert_eq!(bench.json(&["queue:monitor"]).await?, nobody);
    bench.queue.dispatch(Moor::of("Dawn Treader")).await?;
    bench.queue.dispatch_after(Duration::from_secs(60), Moor::of("Splendour Hyaline")).await?;
    bench.queue.job(Moor::of("a leaking one")).on("default").dispatch().await?;
    let status = json!({
        "process": 7, "host": "cair-paravel", "started_at": "2023-11-14T22:13:20Z", "queues": ["harbour", "sea"],
        "concurrency": 8, "running": 3, "kinds": {},
        "report": {"done": 4, "retried": 0, "failed": 1, "released": 0, "cancelled": 0, "stale": 0, "ended": null},
    });
    let status = status.to_string();
    let beat = Beat { worker: Uuid::from_u128(1), lives: Duration::from_secs(12), status: status.as_bytes() };
    bench.stand.driver.beat(beat).await?;
    let seen = bench.json(&["queue:monitor"]).await?;
    let field = |queue: usize, field: &str| seen["queues"][queue][field].clone();
    let harbour = ["queue", "ready", "scheduled", "active", "idle"].map(|name| field(1, name));
    assert_eq!(harbour, [json!("harbour"), json!(1), json!(1), json!(1), json!(0)]);
    assert_eq!([field(0, "queue"), field(0, "active"), field(2, "queue")], [json!("default"), json!(0), json!("sea")]);
    assert_eq!([&seen["workers"], &seen["running"], &seen["concurrency"]], [&json!(1), &json!(3), &json!(8)]);
    let text = bench.app.artisan(&["queue:monitor"]).await?;
    assert!(text.ends_with("\n1 worker(s), 3 of 8 jobs at once\n"), "{text}");

    let stats = bench.json(&["queue:stats"]).await?;
    assert_eq!(stats["queues"], seen["queues"]);
    assert_eq!(stats["workers"][0]["host"], "cair-paravel");
    assert_eq!([&stats["workers"][0]["done"], &stats["workers"][0]["failed"]], [&json!(4), &json!(1)]);
    Ok(())
}

#[tokio::test]
async fn queue_stats_adds_up_what_the_workers_did_of_each_kind_and_queue() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    for (worker, done) in [(1, 10), (2, 30)] {
        let kind =
            json!({"done": done, "errors": 10, "failed": 5, "run_micros": 90_000, "begun": 4, "wait_millis": 100});
        let status = json!({
            "process": 7, "host": "", "started_at": "2023-11-14T22:13:20Z", "queues": ["harbour"], "concurrency": 8,
            "running": 0, "kinds": {"harbour.moor": kind}, "by_queue": {"harbour": kind},
            "report": {"done": 4, "retried": 0, "failed": 1, "released": 0, "cancelled": 0, "stale": 0, "ended": null},
        });
        let status = status.to_string();
        let beat = Beat { worker: Uuid::from_u128(worker), lives: Duration::from_secs(12), status: status.as_bytes() };
        bench.stand.driver.beat(beat).await?;
    }
    bench.stand.clock.advance(Duration::from_secs(120));
    let stats = bench.json(&["queue:stats"]).await?;
    let line = |name| {
        json!({
            "name": name, "done": 40, "errors": 20, "failed": 10, "per_minute": 20.0, "mean_run": 3.0, "mean_wait": 25.0,
        })
    };
    assert_eq!((&stats["kinds"], &stats["by_queue"]), (&json!([line("harbour.moor")]), &json!([line("harbour")])));
    let text = bench.app.artisan(&["queue:stats"]).await?;
    assert!(text.contains("Mean run (ms)") && text.contains("harbour.moor"), "{text}");
    Ok(())
}

#[tokio::test]
async fn a_paused_queue_waits_until_it_is_to_go_on() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    bench.queue.dispatch(Moor::of("Dawn Treader")).await?;
    let paused = bench.json(&["queue:pause", "harbour", "sea"]).await?;
    assert_eq!(paused, json!([{"queue": "harbour", "change": "paused"}, {"queue": "sea", "change": "paused"}]));
    assert_eq!(bench.app.work().await?.done, 0);
    let seen = bench.json(&["queue:monitor"]).await?;
    assert_eq!(seen["queues"][1], queue("sea", 0, None, true));
    let continued = bench.json(&["queue:continue", "harbour"]).await?;
    assert_eq!(continued, json!([{"queue": "harbour", "change": "continued"}]));
    assert_eq!(bench.app.work().await?.done, 1);
    assert_eq!(bench.refused(&["queue:pause"]).await, "usage: Usage");
    Ok(())
}

#[tokio::test]
async fn queue_clear_deletes_what_waits_in_one_queue() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    bench.queue.dispatch_many(["Dawn Treader", "Splendour Hyaline"].map(Moor::of)).await?;
    bench.queue.job(Moor::of("Dawn Treader")).on("default").dispatch().await?;
    let cleared = |queue: &str, deleted: u64| json!([{"queue": queue, "deleted": deleted}]);
    assert_eq!(bench.json(&["queue:clear", "harbour"]).await?, cleared("harbour", 2));
    assert_eq!(bench.json(&["queue:clear"]).await?, cleared("default", 1));
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn queue_restart_ends_the_workers_there_are() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    let worker = Worker::of_application(bench.app.container())?;
    let worker = paravel::spawn(worker.run(std::future::pending()));
    while bench.queue.workers().await?.is_empty() {
        tokio::task::yield_now().await;
    }
    bench.stand.advance(Duration::from_secs(1)).await;
    assert_eq!(bench.json(&["queue:restart"]).await?, json!({"workers": 1}));
    assert_eq!(serde_json::to_value(worker.await?)?["ended"], "restart");
    // One that begins after it is not meant.
    bench.stand.advance(Duration::from_secs(1)).await;
    assert_eq!(serde_json::to_value(bench.app.work().await?)?["ended"], "empty");
    Ok(())
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    orders: String,
}

impl Job for Sealed {
    const NAME: &'static str = "admiralty.orders";
    const ENCRYPTED: bool = true;
    type Dependencies = ();

    async fn handle(self, (): (), _: &JobRun) -> Result<(), BoxError> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn queue_check_reads_what_is_encrypted_where_it_has_the_key() -> anyhow::Result<()> {
    let key = AppKey::generate().map_err(|error| anyhow::anyhow!("{error}"))?;
    let stand = Stand::shared();
    let queue = stand.queue().encrypting(Arc::new(Crypter::new(&key)));
    queue.dispatch(Sealed { orders: "sail at dawn".to_owned() }).await?;
    for (queue, readable) in [(queue, true), (stand.queue(), false)] {
        let app = TestApp::boot(super::builder(queue).job::<Sealed>()).await?;
        let checked = app.artisan(&["queue:check"]).await.map_err(|error| error.to_string());
        match readable {
            true => assert_eq!(checked, Ok("1 job(s) can be read.\n".to_owned())),
            false => assert!(checked.is_err_and(|error| error.contains("cannot be read by this build"))),
        }
    }
    Ok(())
}

#[tokio::test]
async fn queue_check_finds_what_this_build_cannot_read() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    bench.with_failed(1).await?;
    let sail = || Sail { to: "the end of the world".to_owned() };
    let chain = Chain::new().job(Moor::of("Dawn Treader")).batch(Batch::new("fleet").job(sail()).then(Moor::of("")));
    bench.queue.chain(chain).await?;
    bench.queue.dispatch(sail()).await?;
    let found = bench.json(&["queue:check"]).await?;
    assert_eq!(found, json!({"readable": 3, "unknown": {"sea.sail": 2}, "unreadable": []}));
    let text = bench.app.artisan(&["queue:check"]).await?;
    assert!(text.contains("2 job(s) of the kind `sea.sail`") && text.ends_with("3 job(s) can be read.\n"), "{text}");
    let garbage = garbage();
    bench.stand.driver.push(vec![garbage].into()).await?;
    let said = bench.refused(&["queue:check"]).await;
    assert_eq!(said, "1 stored job(s) cannot be read by this build, and would fail: see `Job::upcast`");
    Ok(())
}

#[tokio::test]
async fn batches_are_listed_and_pruned() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    let id = bench.queue.batch(Batch::new("fleet").jobs(["Dawn Treader", "a leaking one"].map(Moor::of))).await?;
    let state = async || {
        let batches = bench.json(&["queue:batches"]).await?;
        let field = |name: &str| batches[0][name].clone();
        anyhow::Ok(["id", "name", "state", "progress", "total", "pending", "failed"].map(field))
    };
    let expected = |state: &str, progress: u64, pending: u64, failed: u64| {
        [json!(id), json!("fleet"), json!(state), json!(progress), json!(2), json!(pending), json!(failed)]
    };
    assert_eq!(state().await?, expected("under way", 0, 2, 0));
    bench.app.work().await?;
    assert_eq!(state().await?, expected("cancelled", 100, 0, 1));
    assert_eq!(bench.json(&["queue:prune-batches"]).await?, json!({"deleted": 0}));
    bench.stand.clock.advance(Duration::from_secs(25 * 3600));
    assert_eq!(bench.app.artisan(&["queue:prune-batches"]).await?, "1 batch(es) deleted.\n");
    Ok(())
}

#[tokio::test(start_paused = true)]
async fn what_waits_and_what_fails_is_watched() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    let env =
        Env::from_pairs([("ALERT_QUEUE_DEPTH", "2"), ("ALERT_QUEUE_WAIT", "30s"), ("ALERT_QUEUE_FAILURES", "20")]);
    let gauge: Arc<dyn Gauge> = Arc::new(QueueGauge::new(bench.queue.clone()));
    let config = Arc::new(AlertConfig::from_env(&env));
    let monitor = Monitor::new(vec![gauge], config, Arc::new(EventBus::collect([])));
    let raised = async || {
        monitor.look().await;
        let alerts = monitor.check().into_iter();
        alerts.map(|alert| (alert.metric, alert.subject, alert.severity, alert.current)).collect::<Vec<_>>()
    };
    assert_eq!(raised().await, []);
    let worker = Worker::of_application(bench.app.container())?;
    let limits = WorkerLimits { when_empty: true, ..WorkerLimits::default() };
    for _ in 0..30 {
        bench.queue.job(Moor::of("a leaking one")).at(bench.stand.clock.now()).dispatch().await?;
    }
    let depth = (Metric::QueueDepth, "harbour".to_owned(), Severity::Critical, 30.0);
    assert_eq!(raised().await, [depth]);
    bench.stand.clock.advance(Duration::from_secs(3600));
    let alerts = raised().await;
    assert_eq!((alerts.len(), alerts[0].0, alerts[0].2), (1, Metric::QueueWait, Severity::Critical));
    // What it did is known as long as it lives.
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let worker = worker.limits(WorkerLimits { when_empty: false, ..limits });
    let worker = paravel::spawn(worker.run(async { drop(stopped.await) }));
    while bench.queue.workers().await?.iter().all(|(_, status)| status.report.failed < 30) {
        bench.stand.advance(Duration::from_millis(50)).await;
    }
    let alerts = raised().await;
    assert_eq!(alerts, [(Metric::QueueFailures, "harbour.moor".to_owned(), Severity::Critical, 100.0)]);
    // To who begins to look now, all that is past.
    let late: Arc<dyn Gauge> = Arc::new(QueueGauge::new(bench.queue.clone()));
    late.look().await;
    assert!(late.read().iter().all(|reading| reading.metric != Metric::QueueFailures), "{:?}", late.read());
    drop(stop);
    worker.await?;
    Ok(())
}

#[tokio::test]
async fn an_application_watches_its_queues() -> anyhow::Result<()> {
    let bench = Bench::new().await?;
    bench.queue.dispatch(Moor::of("Dawn Treader")).await?;
    let gauges: Vec<Arc<dyn Gauge>> = bench.app.container().tagged()?;
    let mut readings = Vec::new();
    for gauge in gauges {
        gauge.look().await;
        readings.extend(gauge.read());
    }
    let of_queue = readings.iter().filter(|reading| reading.metric == Metric::QueueDepth);
    assert_eq!(of_queue.map(|reading| &*reading.subject).collect::<Vec<_>>(), ["harbour"]);
    Ok(())
}
