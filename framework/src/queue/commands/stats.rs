use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;
use uuid::Uuid;

use super::{
    depths::{QUEUES, QueueLine, queues},
    warn_of_memory,
};
use crate::{
    console::{Command, Console},
    queue::{AttemptStats, Queue, WorkerStatus},
    support::Timestamp,
};

/// `queue:stats`
#[derive(clap::Args)]
struct QueueStats {}

#[derive(Serialize)]
struct Stats {
    kinds: Vec<Line>,
    by_queue: Vec<Line>,
    queues: Vec<QueueLine>,
    workers: Vec<WorkerLine>,
}

/// What all workers did of one kind, or of one queue.
#[derive(Serialize)]
struct Line {
    name: String,
    done: u64,
    errors: u64,
    failed: u64,
    /// How many were done in a minute, by each worker since it began.
    per_minute: Option<f64>,
    /// Both in milliseconds.
    mean_run: Option<f64>,
    mean_wait: Option<f64>,
}

/// What a worker did of each.
type Each = fn(&WorkerStatus) -> &BTreeMap<String, AttemptStats>;

impl Line {
    /// By name.
    fn all(workers: &[(Uuid, WorkerStatus)], each: Each, now: Timestamp) -> Vec<Self> {
        let mut all = BTreeMap::<_, AttemptStats>::new();
        for (name, stats) in workers.iter().flat_map(|(_, status)| each(status)) {
            let sum = all.entry(name).or_default();
            *sum = sum.and(*stats);
        }
        let rate = |name: &str| {
            let rates = workers.iter().filter_map(|(_, status)| {
                let past = (now.utc() - status.started_at.utc()).to_std().ok().filter(|past| !past.is_zero())?;
                #[expect(clippy::cast_precision_loss, reason = "a rate")]
                let done = each(status).get(name)?.done as f64;
                Some(done * 60.0 / past.as_secs_f64())
            });
            rates.reduce(|all, rate| all + rate)
        };
        all.into_iter().map(|(name, stats)| Self::of(name, stats, rate(name))).collect()
    }

    fn of(name: &str, stats: AttemptStats, per_minute: Option<f64>) -> Self {
        let round = |mean: Option<f64>| mean.map(|mean| (mean * 1e3).round() / 1e3);
        Self {
            name: name.to_owned(),
            per_minute: round(per_minute),
            done: stats.done,
            errors: stats.errors,
            failed: stats.failed,
            mean_run: round(stats.mean_run()),
            mean_wait: round(stats.mean_wait()),
        }
    }
}

#[derive(Serialize)]
struct WorkerLine {
    id: Uuid,
    host: String,
    process: u32,
    started_at: Timestamp,
    queues: Vec<String>,
    running: usize,
    concurrency: usize,
    done: u64,
    failed: u64,
}

impl From<(Uuid, WorkerStatus)> for WorkerLine {
    fn from((id, status): (Uuid, WorkerStatus)) -> Self {
        let WorkerStatus { process, host, started_at, queues, concurrency, running, report, .. } = status;
        let (done, failed) = (report.done, report.failed);
        Self { id, host, process, started_at, queues, running, concurrency, done, failed }
    }
}

impl Command for QueueStats {
    const NAME: &'static str = "queue:stats";
    const ABOUT: &'static str =
        "Show what the workers that are alive have done of each kind of job and of each queue, and what there is to do";
    type Dependencies = (Arc<Queue>,);

    async fn run(self, (queue,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        warn_of_memory(console, &queue);
        let workers = queue.workers().await?;
        let now = queue.now();
        let stats = Stats {
            kinds: Line::all(&workers, |status| &status.kinds, now),
            by_queue: Line::all(&workers, |status| &status.by_queue, now),
            queues: queues(&queue, workers.iter().map(|(_, status)| status)).await?,
            workers: workers.into_iter().map(WorkerLine::from).collect(),
        };
        if console.is_json() {
            return Ok(console.value(&stats)?);
        }
        let lines = |name| {
            [
                (name, "name"),
                ("Done", "done"),
                ("Errors", "errors"),
                ("Failed", "failed"),
                ("A minute", "per_minute"),
                ("Mean run (ms)", "mean_run"),
                ("Mean wait (ms)", "mean_wait"),
            ]
        };
        let workers = [
            ("Worker", "id"),
            ("Host", "host"),
            ("Process", "process"),
            ("Queues", "queues"),
            ("Running", "running"),
            ("At most", "concurrency"),
            ("Done", "done"),
            ("Failed", "failed"),
            ("Since", "started_at"),
        ];
        console.rows(&lines("Kind"), &stats.kinds)?;
        console.line("");
        console.rows(&lines("Queue"), &stats.by_queue)?;
        console.line("");
        console.rows(&QUEUES, &stats.queues)?;
        console.line("");
        Ok(console.rows(&workers, &stats.workers)?)
    }
}

crate::command!(QueueStats);
