//! Claims jobs and runs them.

mod floor;
mod heartbeat;
mod limits;
mod queues;
mod work;

use std::{future::Future, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Jobs, Queue};
use crate::{
    config::QueueConfig,
    container::{Container, ContainerError},
};
pub use limits::WorkerLimits;
use queues::Queues;
use work::Work;

/// Claims jobs and runs them, many at once, until it is stopped.
///
/// ```no_run
/// use std::sync::Arc;
/// use paravel::{config::QueueConfig, container::Container, queue::{Jobs, Queue, Worker}};
///
/// # async fn example(queue: Queue, jobs: Arc<Jobs>, config: &QueueConfig, app: Container) {
/// // Three times as often from `mail` as from `default`, where both have something.
/// let worker = Worker::new(queue, jobs, config, app, ["mail:3", "default:1"]);
/// let report = worker.run(async { let _ = tokio::signal::ctrl_c().await; }).await;
/// println!("{} jobs done", report.done);
/// # }
/// ```
pub struct Worker {
    id: Uuid,
    queue: Queue,
    queues: Queues,
    jobs: Arc<Jobs>,
    container: Container,
    concurrency: usize,
    prefetch: usize,
    grace: Duration,
    limits: WorkerLimits,
}

/// What a worker did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorkerReport {
    /// How many jobs are done.
    pub done: u64,
    /// How many attempts failed and are followed by another.
    pub retried: u64,
    /// How many jobs failed for good.
    pub failed: u64,
    /// How many went back as if they had not been claimed.
    pub released: u64,
    /// How many were not run, since their batch was cancelled.
    pub cancelled: u64,
    /// How many had meanwhile been given to somebody else.
    pub stale: u64,
    /// Why it ended, where it has.
    pub ended: Option<WhyEnded>,
}

/// Why a worker ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum WhyEnded {
    /// It was stopped.
    Stopped,
    /// All workers were told to.
    Restart,
    /// There was nothing left to do.
    Empty,
    /// It has run as many jobs as it was to.
    Jobs,
    /// It has run for as long as it was to.
    Time,
    /// It took more memory than it may.
    Memory,
}

impl Worker {
    /// The worker that the application's configuration describes.
    ///
    /// # Errors
    /// [`ContainerError`].
    pub fn of_application(app: &Container) -> Result<Self, ContainerError> {
        let (queue, jobs) = (app.make::<Queue>()?, app.make::<Jobs>()?);
        let config: Arc<QueueConfig> = app.make()?;
        let queues = config.queues.as_ref().map_or_else(|| jobs.queues(), |names| names.0.clone());
        Ok(Self::new(Queue::clone(&queue), jobs, &config, app.clone(), queues))
    }

    /// The worker that runs beside the server, where one is to: by default where the queues are in this process or in a file.
    ///
    /// # Errors
    /// [`ContainerError`].
    pub fn beside_server(app: &Container) -> Result<Option<Self>, ContainerError> {
        let (queue, config) = (app.make::<Queue>()?, app.make::<QueueConfig>()?);
        let works = config.serve.unwrap_or(queue.is_embedded()) && !queue.is_sync();
        works.then(|| Self::of_application(app)).transpose()
    }

    /// Works until it is asked to stop; asked twice, it stops at once. One that is told to begin anew does, in the same process: there
    /// is no other that would.
    ///
    /// # Errors
    /// [`ContainerError`].
    pub(crate) async fn run_anew<F: Future<Output = ()>>(
        self,
        app: &Container,
        asked: impl Fn(u32) -> F,
    ) -> Result<WorkerReport, ContainerError> {
        let mut worker = Some(self);
        let mut report = WorkerReport::default();
        while let Some(working) = worker.take() {
            report = working.run_until(asked(1), asked(2)).await;
            if report.ended == Some(WhyEnded::Restart) {
                tracing::info!(?report, "the worker begins anew");
                worker = Self::beside_server(app)?;
            }
        }
        Ok(report)
    }

    /// A worker of these queues, the first that has anything first; `name:weight` has queues take turns instead, in that
    /// proportion.
    pub fn new(
        queue: Queue,
        jobs: Arc<Jobs>,
        config: &QueueConfig,
        container: Container,
        queues: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Self {
        Self {
            id: Uuid::new_v4(),
            queue,
            queues: Queues::new(queues),
            jobs,
            container,
            concurrency: config.concurrency,
            prefetch: config.prefetch,
            grace: config.grace,
            limits: WorkerLimits::default(),
        }
    }

    /// Works on these queues instead.
    #[must_use]
    pub fn queues(self, queues: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        Self { queues: Queues::new(queues), ..self }
    }

    /// Gives jobs that run so long when it is stopped.
    #[must_use]
    pub fn grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// The names of its queues.
    pub fn names(&self) -> &[String] {
        self.queues.names()
    }

    /// Runs so many jobs at once.
    #[must_use]
    pub fn concurrency(self, concurrency: usize) -> Self {
        Self { concurrency: concurrency.max(1), ..self }
    }

    /// Ends by itself when it has come so far.
    #[must_use]
    pub fn limits(self, limits: WorkerLimits) -> Self {
        Self { limits, ..self }
    }

    /// Works until `stop` is ready; then claims no more, gives what runs its grace, and puts back what is left.
    pub async fn run(self, stop: impl Future<Output = ()>) -> WorkerReport {
        self.run_until(stop, std::future::pending()).await
    }

    /// [`run`](Self::run); what runs has no more grace once `at_once` is ready.
    pub async fn run_until(self, stop: impl Future<Output = ()>, at_once: impl Future<Output = ()>) -> WorkerReport {
        Work::new(self).run(stop, at_once).await
    }
}
