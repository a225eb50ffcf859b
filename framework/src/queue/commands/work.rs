use std::{sync::Arc, time::Duration};

use anyhow::bail;

use super::{as_variable, is_here};
use crate::{
    cache::Caches,
    config::{CacheStore, QueueConfig, QueueNames},
    console::{Command, Console, Exit, ExitError, Stops},
    container,
    queue::{Queue, WhyEnded, Worker, WorkerLimits},
};

/// `queue:work`
#[derive(clap::Args)]
struct QueueWork {
    /// The queues, the first that has anything first; `mail:3,default:1` has them take turns in that proportion
    #[arg(long, value_name = "NAMES", value_parser = as_variable::<QueueNames>)]
    queue: Option<QueueNames>,
    /// How many jobs to run at once
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=1000))]
    concurrency: Option<u16>,
    /// End after so many jobs
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u64).range(1..))]
    max_jobs: Option<u64>,
    /// End after so long
    #[arg(long, value_name = "DURATION", value_parser = as_variable::<Duration>)]
    max_time: Option<Duration>,
    /// End, with the exit code 12, when the process takes more memory than this
    #[arg(long, value_name = "MIB", value_parser = clap::value_parser!(u64).range(1..=1 << 24))]
    memory: Option<u64>,
    /// End when there is nothing left that could be claimed
    #[arg(long)]
    stop_when_empty: bool,
    /// Run one job, if there is one, and end
    #[arg(long, conflicts_with_all = ["max_jobs", "concurrency"])]
    once: bool,
    /// How long jobs that run may go on when it is stopped
    #[arg(long, value_name = "DURATION", value_parser = as_variable::<Duration>)]
    grace: Option<Duration>,
}

impl QueueWork {
    fn limits(&self) -> WorkerLimits {
        WorkerLimits {
            jobs: if self.once { Some(1) } else { self.max_jobs },
            time: self.max_time,
            memory: self.memory.map(|mib| mib << 20),
            when_empty: self.stop_when_empty || self.once,
        }
    }

    fn concurrency(&self) -> Option<usize> {
        self.once.then_some(1).or(self.concurrency.map(usize::from))
    }

    /// The worker that is asked for.
    fn worker(&self, mut worker: Worker) -> Worker {
        if let Some(QueueNames(names)) = &self.queue {
            worker = worker.queues(names);
        }
        if let Some(concurrency) = self.concurrency() {
            worker = worker.concurrency(concurrency);
        }
        if let Some(grace) = self.grace {
            worker = worker.grace(grace);
        }
        worker.limits(self.limits())
    }
}

/// Refuses what no process of its own can work on, and warns of what may be lost.
async fn check(queue: &Queue, console: &mut Console) -> anyhow::Result<()> {
    const REMEDY: &str = "set QUEUE_CONNECTION to `database` or `redis`, or let `serve` run them";
    if queue.is_sync() {
        bail!("QUEUE_CONNECTION=sync: jobs run where they are dispatched, and there are none to work on: {REMEDY}");
    }
    if is_here(queue) {
        bail!(
            "QUEUE_CONNECTION=memory: jobs wait in the process that dispatches them, and this one would never see them: {REMEDY}"
        );
    }
    if let Some(risk) = queue.risk().await? {
        console.warn(risk);
    }
    Ok(())
}

/// Warns where other workers could not know of what jobs have used up here.
fn check_limits(queue: &Queue, caches: &Caches, console: &mut Console) {
    let store = caches.store_of(caches.default_cache().name());
    if !queue.is_embedded() && matches!(store, Some(CacheStore::Memory | CacheStore::Null) | None) {
        console.warn(
            "How often jobs may run, and how many at once, is kept by the default cache, which is this process's alone (CACHE_STORE): \
             beside another worker both hold for each.",
        );
    }
}

impl Command for QueueWork {
    const NAME: &'static str = "queue:work";
    const ABOUT: &'static str = "Run the jobs that wait in the queues, until it is stopped";
    type Dependencies = (Arc<Queue>, Arc<QueueConfig>, Arc<Caches>);

    async fn run(self, (queue, config, caches): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        let stops = Stops::on_signals()?;
        check(&queue, console).await?;
        check_limits(&queue, &caches, console);
        let worker = self.worker(Worker::of_application(&container::current()?)?);
        let concurrency = self.concurrency().unwrap_or(config.concurrency);
        console.success(format!("Works on {}, {concurrency} job(s) at once.", worker.names().join(", ")));
        console.line("Stop it with Ctrl+C; once more has it stop at once.");
        let stop = stops.asked(1);
        let stop = async {
            stop.await;
            tracing::info!("stopping: jobs that run may end");
        };
        let report = worker.run_until(stop, stops.asked(2)).await;
        console.value(&report)?;
        match report.ended {
            Some(WhyEnded::Memory) => {
                let message = "it took more memory than it may: start it anew";
                Err(ExitError::new(Exit::Memory, message).into())
            }
            _ => Ok(()),
        }
    }
}

crate::command!(QueueWork);
