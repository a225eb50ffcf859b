use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;
use uuid::Uuid;

use super::{
    depths::{QUEUES, QueueLine, queues},
    warn_of_memory,
};
use crate::{
    console::{Command, Console},
    queue::{KindStats, Queue, WorkerStatus},
    support::Timestamp,
};

/// `queue:stats`
#[derive(clap::Args)]
struct QueueStats {}

#[derive(Serialize)]
struct Stats {
    kinds: Vec<KindLine>,
    queues: Vec<QueueLine>,
    workers: Vec<WorkerLine>,
}

#[derive(Serialize)]
struct KindLine {
    kind: String,
    done: u64,
    errors: u64,
    failed: u64,
    /// How many were done in a minute, by each worker since it began.
    per_minute: Option<f64>,
    /// Both in milliseconds.
    mean_run: Option<f64>,
    mean_wait: Option<f64>,
}

impl KindLine {
    fn of(kind: String, stats: KindStats, workers: &[(Uuid, WorkerStatus)], now: Timestamp) -> Self {
        let round = |mean: Option<f64>| mean.map(|mean| (mean * 1e3).round() / 1e3);
        let rates = workers.iter().filter_map(|(_, status)| {
            let past = (now.utc() - status.started_at.utc()).to_std().ok().filter(|past| !past.is_zero())?;
            #[expect(clippy::cast_precision_loss, reason = "a rate")]
            let done = status.kinds.get(&kind)?.done as f64;
            Some(done * 60.0 / past.as_secs_f64())
        });
        Self {
            per_minute: round(rates.reduce(|all, rate| all + rate)),
            kind,
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
        "Show what the workers that are alive have done of each kind of job, and what there is to do";
    type Dependencies = (Arc<Queue>,);

    async fn run(self, (queue,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        warn_of_memory(console, &queue);
        let workers = queue.workers().await?;
        let mut kinds = BTreeMap::<String, KindStats>::new();
        for (kind, stats) in workers.iter().flat_map(|(_, status)| &status.kinds) {
            let all = kinds.entry(kind.clone()).or_default();
            *all = all.and(*stats);
        }
        let stats = Stats {
            kinds: kinds.into_iter().map(|(kind, stats)| KindLine::of(kind, stats, &workers, queue.now())).collect(),
            queues: queues(&queue, workers.iter().map(|(_, status)| status)).await?,
            workers: workers.into_iter().map(WorkerLine::from).collect(),
        };
        if console.is_json() {
            return Ok(console.value(&stats)?);
        }
        let kinds = [
            ("Kind", "kind"),
            ("Done", "done"),
            ("Errors", "errors"),
            ("Failed", "failed"),
            ("A minute", "per_minute"),
            ("Mean run (ms)", "mean_run"),
            ("Mean wait (ms)", "mean_wait"),
        ];
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
        console.rows(&kinds, &stats.kinds)?;
        console.line("");
        console.rows(&QUEUES, &stats.queues)?;
        console.line("");
        Ok(console.rows(&workers, &stats.workers)?)
    }
}

crate::command!(QueueStats);
