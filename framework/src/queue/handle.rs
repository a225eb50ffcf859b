use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use serde::Serialize;
use uuid::Uuid;

use super::{
    Batch, BatchId, BatchStatus, Chain, Depth, Dispatch, Driver, DriverError, Durability, FailedJob, Job, JobEntry,
    JobId, JobOptions, Message, Order, Push, QueueError, Relay, Transactional, Unique, WorkerStatus,
    compose::Place,
    envelope::{Codec, Header},
    options::Due,
    status, sync,
};
use crate::{
    container::in_scope,
    crypt::Crypter,
    support::{Carried, Clock, Timestamp, TraceId, WireFormat},
};

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
    pub(super) driver: Arc<dyn Driver>,
    clock: Arc<dyn Clock>,
    codec: Codec,
    // Jobs run where they are dispatched.
    pub(super) sync: bool,
    // What is pushed inside a transaction becomes a part of it.
    pub(super) transactional: Option<Arc<dyn Transactional>>,
    // What transactions have left behind.
    relay: Option<Arc<dyn Relay>>,
    // Nothing but this process works on it, where it does.
    embedded: bool,
    #[cfg(feature = "testing")]
    pub(super) faked: super::fake::Faked,
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue").field("sync", &self.sync).finish_non_exhaustive()
    }
}

impl Queue {
    /// Queues by this driver.
    pub fn new(driver: Arc<dyn Driver>, format: WireFormat, clock: Arc<dyn Clock>) -> Self {
        Self {
            driver,
            clock,
            codec: Codec { format, crypter: None },
            sync: false,
            transactional: None,
            relay: None,
            embedded: true,
            #[cfg(feature = "testing")]
            faked: super::fake::Faked::default(),
        }
    }

    /// What transactions have left in an outbox is pushed by this.
    #[must_use]
    pub fn relayed_by(self, relay: Arc<dyn Relay>) -> Self {
        Self { relay: Some(relay), ..self }
    }

    /// Pushes what transactions have left in the outbox; how many pushes that were, and `None` where there is no outbox.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn relay(&self) -> Result<Option<u64>, QueueError> {
        match &self.relay {
            Some(relay) => relay.relay().await.map(Some),
            None => Ok(None),
        }
    }

    /// Whether what works on it is rather this process than others.
    pub(super) fn embedded(self, embedded: bool) -> Self {
        Self { embedded, ..self }
    }

    /// Whether it is in this process, or in a file that no server stands between.
    pub fn is_embedded(&self) -> bool {
        self.embedded
    }

    /// Whether jobs wait in the memory of this process, where no other finds them.
    pub fn is_in_memory(&self) -> bool {
        let driver: &dyn std::any::Any = &*self.driver;
        driver.is::<super::MemoryDriver>()
    }

    /// Whether jobs do not wait, but run where they are dispatched.
    pub fn is_sync(&self) -> bool {
        self.sync
    }

    /// Jobs do not wait at all: each runs where it is dispatched, once, and its dispatch fails where it does.
    #[must_use]
    pub fn at_once(self) -> Self {
        Self { sync: true, ..self }
    }

    /// Begins to record what is pushed in place of queueing it, in place of an earlier fake.
    #[cfg(feature = "testing")]
    pub fn fake(&self) -> super::QueueFake {
        self.faked.begin(self.codec.clone())
    }

    /// What is dispatched inside a transaction is written by it, as a part of it.
    #[must_use]
    pub fn within(self, transactional: Arc<dyn Transactional>) -> Self {
        Self { transactional: Some(transactional), ..self }
    }

    /// What the queues are kept by.
    pub fn driver(&self) -> &Arc<dyn Driver> {
        &self.driver
    }

    /// What a job that was dispatched outlives.
    ///
    /// # Errors
    /// [`QueueError::Driver`].
    pub async fn durability(&self) -> Result<Durability, QueueError> {
        self.driver.durability().await.map_err(|error| failed("say what it keeps", error))
    }

    /// How a job that was dispatched may be lost, for people; `None` where nothing less than its disk has to fail.
    pub(crate) async fn risk(&self) -> Result<Option<&'static str>, QueueError> {
        if self.is_sync() {
            return Ok(None);
        }
        if self.is_in_memory() {
            return Ok(Some(
                "QUEUE_CONNECTION=memory: jobs wait in the memory of this process, and those that have not run are gone with it",
            ));
        }
        Ok(match self.durability().await? {
            Durability::Process => {
                Some("What stores the jobs keeps none when it is restarted, or does not tell: see how it is set up.")
            }
            Durability::Host => {
                Some("What stores the jobs may lose the latest of them when its machine fails: see how it is set up.")
            }
            Durability::Disk => None,
        })
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(super) fn codec(&self) -> &Codec {
        &self.codec
    }

    /// Encrypts with this what is to be [encrypted](Job::ENCRYPTED).
    #[must_use]
    pub fn encrypting(self, crypter: Arc<Crypter>) -> Self {
        Self { codec: Codec { crypter: Some(crypter), ..self.codec }, ..self }
    }

    /// A job that is about to be dispatched.
    pub fn job<J: Job>(&self, job: J) -> Dispatch<'_, J> {
        Dispatch::new(self, job)
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
        let options = JobOptions::of::<J>();
        let messages: Result<Vec<_>, _> = jobs.into_iter().map(|job| self.message(&job, &options)).collect();
        self.push_messages(messages?, options.after_commit).await
    }

    /// Dispatches jobs of which each begins when the one before it is done.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn chain(&self, chain: Chain) -> Result<(), QueueError> {
        let push = chain.seal(self, None)?;
        self.push(push, true).await.map(drop)
    }

    /// Dispatches jobs that run beside each other.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn batch(&self, batch: Batch) -> Result<BatchId, QueueError> {
        let (id, push) = batch.seal(self, None, None)?;
        self.push(push, true).await?;
        Ok(id)
    }

    /// How far a batch has come; `None` where it is not known, or was pruned.
    ///
    /// # Errors
    /// [`QueueError::Driver`].
    pub async fn find_batch(&self, id: BatchId) -> Result<Option<BatchStatus>, QueueError> {
        let batches = self.driver.admin().batches().list(Some(&[id])).await;
        Ok(batches.map_err(|error| failed("find a batch", error))?.pop())
    }

    /// Has a batch not go on; whether it was still under way.
    ///
    /// # Errors
    /// [`QueueError::Driver`].
    pub async fn cancel_batch(&self, id: BatchId) -> Result<bool, QueueError> {
        self.driver.admin().batches().cancel(id).await.map_err(|error| failed("cancel a batch", error))
    }

    /// More members for a batch that is under way; a job does that for the batch that it is a member of.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn add_to_batch<J: Job>(&self, id: BatchId, jobs: impl IntoIterator<Item = J>) -> Result<(), QueueError> {
        let options = JobOptions::of::<J>();
        let place = || Place { next: None, batch: Some(id) };
        let messages: Result<Vec<_>, _> = jobs.into_iter().map(|job| self.member(&job, &options, place())).collect();
        let messages = messages?;
        let grown = vec![(id, u64::try_from(messages.len()).unwrap_or(u64::MAX))];
        self.push(Push { messages, grown, ..Push::NOTHING }, options.after_commit).await.map(drop)
    }

    /// Runs a job here and now, once.
    ///
    /// # Errors
    /// [`QueueError::Failed`].
    pub async fn dispatch_sync<J: Job>(&self, job: J) -> Result<(), QueueError> {
        let message = self.message(&job, &JobOptions::of::<J>().tries(1))?;
        sync::run(self, vec![message].into(), Some(JobEntry::of::<J>())).await
    }

    /// The message of a job that stands by itself.
    pub(super) fn message<J: Job>(&self, job: &J, options: &JobOptions) -> Result<Message, QueueError> {
        let unique = job.unique().map(|unique| Unique {
            key: format!("{}:{}", J::NAME, unique.key),
            lasts: unique.lasts,
            until: unique.until,
        });
        let now = self.now();
        let due = match options.due {
            Due::At(moment) => Some(moment),
            Due::After(delay) => (!delay.is_zero()).then(|| now.plus(delay)),
        };
        let message = self.sealed(Kind::of::<J>(), job, options, Place::default(), now)?;
        Ok(Message { due, unique, ..message })
    }

    /// The message of a job that is one among others, which begins when its turn comes.
    pub(super) fn member<J: Job>(&self, job: &J, options: &JobOptions, place: Place) -> Result<Message, QueueError> {
        let message = self.sealed(Kind::of::<J>(), job, options, place, self.now())?;
        Ok(match options.due {
            Due::At(moment) => Message { due: Some(moment), ..message },
            Due::After(delay) => Message { delay: Some(delay), ..message },
        })
    }

    /// Dispatches what runs as a job of this kind without being one.
    pub(crate) async fn dispatch_as(
        &self,
        kind: String,
        fields: &impl Serialize,
        options: &JobOptions,
    ) -> Result<(), QueueError> {
        let now = self.now();
        let due = match options.due {
            Due::At(moment) => Some(moment),
            Due::After(delay) => (!delay.is_zero()).then(|| now.plus(delay)),
        };
        let message = self.sealed(
            Kind { name: kind.into(), version: 1, encrypted: false },
            fields,
            options,
            Place::default(),
            now,
        )?;
        self.push_messages(vec![Message { due, ..message }], options.after_commit).await.map(drop)
    }

    fn sealed(
        &self,
        kind: Kind,
        fields: &impl Serialize,
        options: &JobOptions,
        place: Place,
        now: Timestamp,
    ) -> Result<Message, QueueError> {
        let Kind { name: kind, version, encrypted } = kind;
        if options.queue.is_empty() || options.queue.len() > LONGEST_NAME {
            return Err(QueueError::Name { queue: options.queue.clone() });
        }
        let header = Header {
            kind: kind.clone(),
            version,
            tries: options.tries,
            backoff: options.backoff.clone(),
            timeout: options.timeout,
            retry_for: options.retry_for,
            at: now.utc().timestamp_millis(),
            trace: in_scope::<TraceId>().ok().flatten().map(|trace| trace.as_str().to_owned().into()),
            next: place.next,
            carried: in_scope::<Carried>().ok().flatten().is_some(),
        };
        let sealed = self.codec.seal(fields, &header, encrypted);
        let payload = match sealed {
            Ok(payload) => payload,
            Err(error) => return Err(QueueError::NotWritable { kind: kind.into_owned(), reason: error.to_string() }),
        };
        Ok(Message {
            id: JobId::new(),
            queue: options.queue.clone(),
            priority: options.priority,
            due: None,
            delay: None,
            unique: None,
            batch: place.batch,
            kind,
            payload,
        })
    }

    /// What there is in each queue, by name.
    ///
    /// # Errors
    /// [`QueueError::Driver`].
    pub async fn depths(&self) -> Result<Vec<(String, Depth)>, QueueError> {
        self.driver.admin().depths().await.map_err(|error| failed("be counted", error))
    }

    /// What there is in a queue.
    ///
    /// # Errors
    /// [`QueueError::Driver`].
    pub async fn depth(&self, queue: &str) -> Result<Depth, QueueError> {
        let depths = self.depths().await?;
        Ok(depths.into_iter().find(|(name, _)| name == queue).map(|(_, depth)| depth).unwrap_or_default())
    }

    /// Takes out of a queue what does not run yet; how much that was.
    ///
    /// # Errors
    /// [`QueueError::Driver`].
    pub async fn clear(&self, queue: &str) -> Result<u64, QueueError> {
        self.driver.admin().clear(queue).await.map_err(|error| failed("be cleared", error))
    }

    /// Has nothing claimed from a queue any more; what runs goes on.
    ///
    /// # Errors
    /// [`QueueError::Driver`].
    pub async fn pause(&self, queue: impl Into<String>) -> Result<(), QueueError> {
        self.order(Order::Pause(queue.into()), "be paused").await
    }

    /// Has a queue that was [paused](Self::pause) go on.
    ///
    /// # Errors
    /// [`QueueError::Driver`].
    pub async fn resume(&self, queue: impl Into<String>) -> Result<(), QueueError> {
        self.order(Order::Continue(queue.into()), "go on").await
    }

    /// Has all workers that run now end what they do and stop.
    ///
    /// # Errors
    /// [`QueueError::Driver`].
    pub async fn restart(&self) -> Result<(), QueueError> {
        self.order(Order::Restart(self.now()), "tell its workers").await
    }

    async fn order(&self, order: Order, operation: &'static str) -> Result<(), QueueError> {
        self.driver.admin().order(order).await.map_err(|error| failed(operation, error))
    }

    /// What the workers that are alive say of themselves. One of another release that says it otherwise is left out.
    ///
    /// # Errors
    /// [`QueueError::Driver`].
    pub async fn workers(&self) -> Result<Vec<(Uuid, WorkerStatus)>, QueueError> {
        let workers = self.driver.admin().workers().await.map_err(|error| failed("list its workers", error))?;
        Ok(workers.into_iter().filter_map(|(id, said)| Some((id, status::read(&said)?))).collect())
    }

    /// The jobs that failed for good, the latest first, all of them at once. See [`failed_keys`](Self::failed_keys).
    ///
    /// # Errors
    /// [`QueueError::Driver`].
    pub async fn failed(&self) -> Result<Vec<FailedJob>, QueueError> {
        self.driver.admin().failed().list(None).await.map_err(|error| failed("list what failed", error))
    }

    /// Has failed jobs tried again, as if they never had been; how many there were.
    ///
    /// # Errors
    /// [`QueueError::Driver`].
    pub async fn retry(&self, ids: &[JobId]) -> Result<u64, QueueError> {
        self.driver.admin().failed().retry(ids).await.map_err(|error| failed("retry", error))
    }

    /// Deletes failed jobs; how many there were.
    ///
    /// # Errors
    /// [`QueueError::Driver`].
    pub async fn forget(&self, ids: &[JobId]) -> Result<u64, QueueError> {
        self.driver.admin().failed().forget(ids).await.map_err(|error| failed("forget", error))
    }
}

/// What of a kind of job is written with each of them.
struct Kind {
    name: Cow<'static, str>,
    version: u16,
    encrypted: bool,
}

impl Kind {
    fn of<J: Job>() -> Self {
        Self { name: J::NAME.into(), version: J::VERSION, encrypted: J::ENCRYPTED }
    }
}

/// Of a queue, in bytes: what MariaDB's column holds. It is refused when a job is dispatched, and not when the one before it ends.
const LONGEST_NAME: usize = 255;

/// What the driver said, with what it was to do.
pub(super) fn failed(operation: &'static str, error: DriverError) -> QueueError {
    QueueError::Driver { operation, source: Arc::new(error) }
}
