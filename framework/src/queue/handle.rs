use std::{fmt, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::future::FutureExt;
use tokio::sync::watch;

use super::{
    Depth, Driver, DriverError, FailedJob, Job, JobId, JobRun, Message, Priority, QueueError, Unique,
    driver::{Durability, Pushed},
    envelope::{self, Header},
};
use crate::{
    config::{QueueConfig, QueueConnection, QueueFormat},
    container::{self, Ambient, ContainerError, Dependencies, Resolver, Scope, enter, panic_message},
    database::{after_commit, in_transaction},
    support::{Clock, SystemClock, Timestamp},
};

use super::MemoryDriver;

/// The queues of an application. A clone is the same.
///
/// ```
/// use paravel::queue::{Job, JobId, Queue, QueueError};
///
/// # async fn example<Moor: Job>(queue: &Queue, moor: Moor) -> Result<Option<JobId>, QueueError> {
/// // Once the transaction that is open here is committed, where one is.
/// queue.job(moor).on("harbour").after(std::time::Duration::from_secs(60)).dispatch().await
/// # }
/// ```
#[derive(Clone)]
pub struct Queue {
    driver: Arc<dyn Driver>,
    clock: Arc<dyn Clock>,
    format: QueueFormat,
    // Jobs run where they are dispatched.
    sync: bool,
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("durability", &self.durability())
            .field("sync", &self.sync)
            .finish_non_exhaustive()
    }
}

impl Queue {
    /// The queues that the configuration describes.
    pub fn from_config(config: &QueueConfig) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let driver = Arc::new(MemoryDriver::new(Arc::clone(&clock)));
        let queue = Self::new(driver, config.format, clock);
        Self { sync: config.connection == QueueConnection::Sync, ..queue }
    }

    /// Queues by this driver.
    pub fn new(driver: Arc<dyn Driver>, format: QueueFormat, clock: Arc<dyn Clock>) -> Self {
        Self { driver, clock, format, sync: false }
    }

    /// What the queues are kept by.
    pub fn driver(&self) -> &Arc<dyn Driver> {
        &self.driver
    }

    /// What a job that was dispatched outlives.
    pub fn durability(&self) -> Durability {
        self.driver.durability()
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A job that is about to be dispatched.
    pub fn job<J: Job>(&self, job: J) -> Dispatch<'_, J> {
        Dispatch { queue: self, job, on: J::QUEUE.to_owned(), priority: J::PRIORITY, delay: None, tries: J::TRIES }
    }

    /// Dispatches a job as its kind says. Inside a transaction it waits for the commit, and is not dispatched where that is
    /// rolled back. `None`: another has its unique key.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn dispatch<J: Job>(&self, job: J) -> Result<Option<JobId>, QueueError> {
        self.job(job).dispatch().await
    }

    /// [`dispatch`](Self::dispatch), to run no sooner than this from now.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn dispatch_after<J: Job>(&self, delay: Duration, job: J) -> Result<Option<JobId>, QueueError> {
        self.job(job).after(delay).dispatch().await
    }

    /// [`dispatch`](Self::dispatch) of many at once: all of them, or none.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn dispatch_many<J: Job>(
        &self,
        jobs: impl IntoIterator<Item = J>,
    ) -> Result<Vec<Option<JobId>>, QueueError> {
        if self.sync {
            let mut ids = Vec::new();
            for job in jobs {
                ids.push(self.job(job).dispatch().await?);
            }
            return Ok(ids);
        }
        let messages: Result<Vec<_>, _> = jobs.into_iter().map(|job| self.job(job).message()).collect();
        self.push(messages?).await
    }

    /// Runs a job here and now, once.
    ///
    /// # Errors
    /// [`QueueError::Failed`].
    pub async fn dispatch_sync<J: Job>(&self, job: J) -> Result<(), QueueError> {
        let container = container::current().map_err(ContainerError::from)?;
        let dependencies = J::Dependencies::resolve(&Resolver::new(&container))?;
        let (_never, stop) = watch::channel(false);
        let run = JobRun::new(JobId::new(), J::QUEUE, 1, 1, stop);
        let scope = Ambient::new(container.with_scope(Arc::new(Scope::new())));
        let handled = AssertUnwindSafe(enter(scope, job.handle(dependencies, &run))).catch_unwind().await;
        let reason = match handled {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) => error.to_string(),
            Err(panic) => format!("panicked: {}", panic_message(&*panic)),
        };
        Err(QueueError::Failed { kind: J::NAME, reason })
    }

    /// Pushes messages, after the commit of the transaction that is open here.
    async fn push(&self, messages: Vec<Message>) -> Result<Vec<Option<JobId>>, QueueError> {
        let ids: Vec<_> = messages.iter().map(|message| message.id).collect();
        if in_transaction() {
            let queue = self.clone();
            let count = messages.len();
            let push = async move {
                if let Err(error) = queue.driver.push(messages).await {
                    tracing::error!(%error, count, "jobs dispatched in a transaction are lost: it is committed, and the queue failed");
                }
            };
            after_commit(push).await.map_err(ContainerError::from)?;
            return Ok(ids.into_iter().map(Some).collect());
        }
        let pushed = self.driver.push(messages).await.map_err(|error| failed("take a job", error))?;
        let stored = ids.into_iter().zip(pushed).map(|(id, pushed)| (pushed == Pushed::Stored).then_some(id));
        Ok(stored.collect())
    }

    /// What there is in a queue.
    ///
    /// # Errors
    /// [`QueueError::Driver`].
    pub async fn depth(&self, queue: &str) -> Result<Depth, QueueError> {
        self.driver.depth(queue).await.map_err(|error| failed("be counted", error))
    }

    /// Takes out of a queue what does not run yet; how much that was.
    ///
    /// # Errors
    /// [`QueueError::Driver`].
    pub async fn clear(&self, queue: &str) -> Result<u64, QueueError> {
        self.driver.clear(queue).await.map_err(|error| failed("be cleared", error))
    }

    /// The jobs that failed for good, the latest first.
    ///
    /// # Errors
    /// [`QueueError::Driver`].
    pub async fn failed(&self) -> Result<Vec<FailedJob>, QueueError> {
        self.driver.failed().list(None).await.map_err(|error| failed("list what failed", error))
    }

    /// Has failed jobs tried again, as if they never had been; how many there were.
    ///
    /// # Errors
    /// [`QueueError::Driver`].
    pub async fn retry(&self, ids: &[JobId]) -> Result<u64, QueueError> {
        self.driver.failed().retry(ids).await.map_err(|error| failed("retry", error))
    }

    /// Deletes failed jobs; how many there were.
    ///
    /// # Errors
    /// [`QueueError::Driver`].
    pub async fn forget(&self, ids: &[JobId]) -> Result<u64, QueueError> {
        self.driver.failed().forget(ids).await.map_err(|error| failed("forget", error))
    }
}

fn failed(operation: &'static str, error: DriverError) -> QueueError {
    QueueError::Driver { operation, source: Arc::new(error) }
}

/// A job that is about to be dispatched.
#[must_use = "it is dispatched by `dispatch`"]
pub struct Dispatch<'a, J> {
    queue: &'a Queue,
    job: J,
    on: String,
    priority: Priority,
    delay: Option<Duration>,
    tries: u32,
}

impl<J: Job> Dispatch<'_, J> {
    /// In this queue.
    pub fn on(self, queue: impl Into<String>) -> Self {
        Self { on: queue.into(), ..self }
    }

    /// Before or after others.
    pub fn priority(self, priority: Priority) -> Self {
        Self { priority, ..self }
    }

    /// No sooner than this from now.
    pub fn after(self, delay: Duration) -> Self {
        Self { delay: Some(delay), ..self }
    }

    /// So often at most, from 1.
    pub fn tries(self, tries: u32) -> Self {
        Self { tries: tries.max(1), ..self }
    }

    /// Dispatches it. `None`: another has its unique key.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn dispatch(self) -> Result<Option<JobId>, QueueError> {
        if self.queue.sync {
            let (queue, id) = (self.queue.clone(), JobId::new());
            if in_transaction() {
                let run = async move {
                    if let Err(error) = queue.dispatch_sync(self.job).await {
                        tracing::error!(%error, "a job dispatched in a transaction failed after the commit");
                    }
                };
                return after_commit_static(run, id).await;
            }
            return queue.dispatch_sync(self.job).await.map(|()| Some(id));
        }
        let (queue, message) = (self.queue, self.message()?);
        Ok(queue.push(vec![message]).await?.pop().flatten())
    }

    fn message(self) -> Result<Message, QueueError> {
        let Self { queue, job, on, priority, delay, tries } = self;
        let now = queue.now();
        let due = delay.filter(|delay| !delay.is_zero()).map(|delay| now.plus(delay));
        let header = Header {
            kind: J::NAME.into(),
            version: J::VERSION,
            tries,
            backoff: J::BACKOFF,
            timeout: J::TIMEOUT,
            until: J::RETRY_FOR.map(|lasts| due.unwrap_or(now).plus(lasts).utc().timestamp_millis()),
            trace: None,
        };
        let sealed = envelope::seal(&job, &header, queue.format);
        let payload = sealed.map_err(|error| QueueError::NotWritable { kind: J::NAME, reason: error.to_string() })?;
        let unique = job.unique().map(|unique| Unique {
            key: format!("{}:{}", J::NAME, unique.key),
            lasts: unique.lasts,
            until: unique.until,
        });
        Ok(Message {
            id: JobId::new(),
            queue: on,
            priority,
            due,
            unique,
            kind: J::NAME.to_owned(),
            payload: payload.into(),
        })
    }
}

async fn after_commit_static(
    run: impl Future<Output = ()> + Send + 'static,
    id: JobId,
) -> Result<Option<JobId>, QueueError> {
    after_commit(run).await.map_err(ContainerError::from)?;
    Ok(Some(id))
}
