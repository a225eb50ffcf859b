use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::watch;

use super::{BatchId, Claimed, Job, JobId, Outcome, Queue, QueueError, database::driver_of, envelope};
use crate::{
    container::{ContainerError, in_scope},
    database::{Connection, after_commit},
    support::note_panics,
};

/// One attempt at a job, for the job itself. A clone is the same.
#[derive(Clone)]
pub struct JobRun {
    inner: Arc<Inner>,
}

struct Inner {
    claimed: Claimed,
    host: Arc<Host>,
    said: Mutex<Said>,
}

/// Where jobs run.
pub(super) struct Host {
    queue: Queue,
    stop: watch::Receiver<bool>,
    // There is nowhere to wait for another attempt.
    once: bool,
}

impl Host {
    /// In a worker, which may be stopped.
    pub(super) fn new(queue: Queue, stop: watch::Receiver<bool>) -> Self {
        note_panics();
        Self { queue, stop, once: false }
    }

    /// Where they are dispatched.
    pub(super) fn here(queue: Queue) -> Self {
        note_panics();
        let (_never, stop) = watch::channel(false);
        Self { queue, stop, once: true }
    }

    pub(super) fn queue(&self) -> &Queue {
        &self.queue
    }
}

/// What a job has said of itself.
#[derive(Default)]
struct Said {
    tries: u32,
    wish: Option<Wish>,
    // How far it has come, as the payload that goes on from there.
    checkpoint: Option<Bytes>,
    // Its end was written by its own transaction.
    settled: bool,
    // A signal gave rise to it.
    carried: bool,
}

/// What a job wants to become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    Release(Duration),
    Fail(String),
}

impl JobRun {
    pub(super) fn new(claimed: Claimed, host: Arc<Host>) -> Self {
        Self { inner: Arc::new(Inner { claimed, host, said: Mutex::default() }) }
    }

    /// How often it is tried, of so many times that it might be.
    pub(super) fn tried_at_most(&self, tries: u32) -> u32 {
        let tries = if self.inner.host.once { 1 } else { tries };
        self.inner.said.lock().tries = tries;
        tries
    }

    /// How long it was ready before it was begun with; `None` for one that was tried before.
    pub(super) fn waited(&self) -> Option<Duration> {
        let Claimed { message, attempt: 1, .. } = &self.inner.claimed else { return None };
        let since = message.due.unwrap_or_else(|| message.id.made_at());
        Some((self.inner.host.queue.now().utc() - since.utc()).to_std().unwrap_or_default())
    }

    pub(super) fn claimed(&self) -> &Claimed {
        &self.inner.claimed
    }

    /// The run that is under way where a [queued listener](crate::events::ListenerEntry::queued) calls this; a job is given its own.
    /// `None` where it is called by an event at once.
    pub fn current() -> Option<Self> {
        in_scope::<Self>().ok().flatten().map(|run| Self::clone(&run))
    }

    /// The job's key.
    pub fn id(&self) -> JobId {
        self.inner.claimed.message.id
    }

    /// The queue it came from.
    pub fn queue(&self) -> &str {
        &self.inner.claimed.message.queue
    }

    /// Which attempt this is, from 1.
    pub fn attempt(&self) -> u32 {
        self.inner.claimed.attempt
    }

    /// Whether no other follows, where this one fails.
    pub fn is_last(&self) -> bool {
        self.attempt() >= self.inner.said.lock().tries
    }

    /// The batch that it is a member of.
    pub fn batch(&self) -> Option<BatchId> {
        self.inner.claimed.message.batch
    }

    /// More members for the batch that it is a member of; jobs by themselves, where it is of none.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn add_to_batch<J: Job>(&self, jobs: impl IntoIterator<Item = J>) -> Result<(), QueueError> {
        match self.batch() {
            Some(batch) => self.inner.host.queue.add_to_batch(batch, jobs).await,
            None => self.inner.host.queue.dispatch_many(jobs).await.map(drop),
        }
    }

    /// Whether the worker is being stopped: a long job does well to [keep](Self::checkpoint) how far it has come, and to
    /// [release](Self::release) itself.
    pub fn should_stop(&self) -> bool {
        *self.inner.host.stop.borrow()
    }

    /// Waits until the worker is being stopped.
    pub async fn stopping(&self) {
        let mut stop = self.inner.host.stop.clone();
        // Where the worker is gone, so is this job before long.
        if stop.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Keeps how far the job has come: should it be tried again, released or stopped from now on, it goes on as `job`. It is told with
    /// the end of this attempt, and so does not outlive a worker that is killed: that job begins where this attempt did.
    ///
    /// ```
    /// use paravel::{queue::{Job, JobRun}, support::BoxError};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Serialize, Deserialize)]
    /// struct Count {
    ///     next: u32,
    /// }
    ///
    /// impl Job for Count {
    ///     const NAME: &'static str = "count";
    ///     type Dependencies = ();
    ///
    ///     async fn handle(mut self, (): (), run: &JobRun) -> Result<(), BoxError> {
    ///         while self.next < 1_000_000 && !run.should_stop() {
    ///             self.next += 1;
    ///         }
    ///         if self.next < 1_000_000 {
    ///             run.checkpoint(&self)?;
    ///             run.release(std::time::Duration::ZERO);
    ///         }
    ///         Ok(())
    ///     }
    /// }
    /// ```
    ///
    /// # Errors
    /// [`QueueError::NotWritable`].
    pub fn checkpoint<J: Job>(&self, job: &J) -> Result<(), QueueError> {
        let payload = &self.inner.claimed.message.payload;
        let resealed = self.inner.host.queue.codec().reseal(payload, job);
        let resealed = resealed
            .map_err(|error| QueueError::NotWritable { kind: J::NAME.to_owned(), reason: error.to_string() })?;
        self.inner.said.lock().checkpoint = Some(resealed);
        Ok(())
    }

    /// Once it has returned without an error, it goes back for so long, and this was no attempt.
    pub fn release(&self, after: Duration) {
        self.inner.said.lock().wish = Some(Wish::Release(after));
    }

    /// Once it has returned, whatever that is, it has failed for good, with whatever tries are left.
    pub fn fail(&self, why: impl Into<String>) {
        self.inner.said.lock().wish = Some(Wish::Fail(why.into()));
    }

    /// Ends the job as done in its own transaction, with what follows it: what the job wrote there and its end are one, so that it
    /// takes effect once, however often it is begun with. Called last in the transaction, whose error has to be passed on.
    ///
    /// Where that is rolled back, the job is tried again as usual. One that runs where it was dispatched has no end to be written.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use paravel::{database::{Db, SqliteConn}, queue::JobRun, support::BoxError};
    ///
    /// # async fn example(db: &Db<SqliteConn>, run: &JobRun) -> Result<(), BoxError> {
    /// let run = run.clone();
    /// db.write(async move |c| {
    ///     // What the job does, on the same connection.
    ///     Ok::<_, BoxError>(run.complete_in(c).await?)
    /// })
    /// .await
    /// # }
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`QueueError::Elsewhere`] where the queue is not in the database of the transaction; [`QueueError::Stale`] where the job has
    /// been given to another worker; [`QueueError::Driver`].
    pub async fn complete_in<C: Connection>(&self, c: &mut C) -> Result<(), QueueError> {
        if self.inner.host.once {
            return Ok(());
        }
        let (job, claimed) = (self.id(), &self.inner.claimed);
        let driver = driver_of::<C>(&**self.inner.host.queue.driver()).ok_or(QueueError::Elsewhere { job })?;
        // It was opened before it was begun with.
        let next = envelope::open(&claimed.message.payload).ok().and_then(|envelope| envelope.header.next);
        if !driver.settle_in(c, &claimed.end(Outcome::Done { then: next.unwrap_or_default() })).await? {
            return Err(QueueError::Stale { job });
        }
        let (run, driver) = (self.clone(), driver.clone());
        let settled = async move {
            run.note_settled();
            driver.let_go(&run.claimed().receipt);
        };
        after_commit(settled).await.map_err(ContainerError::from)?;
        Ok(())
    }

    pub(super) fn wish(&self) -> Option<Wish> {
        self.inner.said.lock().wish.clone()
    }

    pub(super) fn last_checkpoint(&self) -> Option<Bytes> {
        self.inner.said.lock().checkpoint.clone()
    }

    /// Notes that a signal gave rise to it.
    pub(super) fn note_carried(&self) {
        self.inner.said.lock().carried = true;
    }

    /// Whether a signal gave rise to it, so that it raises none.
    pub(super) fn is_carried(&self) -> bool {
        self.inner.said.lock().carried
    }

    /// Notes that its end is already written.
    pub(super) fn note_settled(&self) {
        self.inner.said.lock().settled = true;
    }

    pub(super) fn is_settled(&self) -> bool {
        self.inner.said.lock().settled
    }
}

impl fmt::Debug for JobRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobRun").field("id", &self.id()).field("attempt", &self.attempt()).finish_non_exhaustive()
    }
}
