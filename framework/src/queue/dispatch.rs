use std::time::Duration;

use super::{Backoff, Job, JobId, JobOptions, Priority, Queue, QueueError};
use crate::support::Timestamp;

/// A job that is about to be dispatched, in other ways than its kind says where that is wished.
#[must_use = "it is dispatched by `dispatch`"]
pub struct Dispatch<'a, J> {
    queue: &'a Queue,
    job: J,
    options: JobOptions,
}

impl<'a, J: Job> Dispatch<'a, J> {
    pub(super) fn new(queue: &'a Queue, job: J) -> Self {
        Self { queue, job, options: JobOptions::of::<J>() }
    }

    fn with(self, options: impl FnOnce(JobOptions) -> JobOptions) -> Self {
        Self { options: options(self.options), ..self }
    }

    /// In this queue.
    pub fn on(self, queue: impl Into<String>) -> Self {
        self.with(|options| options.on(queue))
    }

    /// Before or after others.
    pub fn priority(self, priority: Priority) -> Self {
        self.with(|options| options.priority(priority))
    }

    /// No sooner than this from now.
    pub fn after(self, delay: Duration) -> Self {
        self.with(|options| options.after(delay))
    }

    /// No sooner than at this moment.
    pub fn at(self, moment: Timestamp) -> Self {
        self.with(|options| options.at(moment))
    }

    /// So often at most, from 1.
    pub fn tries(self, tries: u32) -> Self {
        self.with(|options| options.tries(tries))
    }

    /// With these pauses between attempts.
    pub fn backoff(self, backoff: Backoff) -> Self {
        self.with(|options| options.backoff(backoff))
    }

    /// So long an attempt at most.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|options| options.timeout(timeout))
    }

    /// Not any more when so long has passed, however many tries are left.
    pub fn retry_for(self, lasts: Duration) -> Self {
        self.with(|options| options.retry_for(lasts))
    }

    /// At once, although a transaction is open that may be rolled back.
    pub fn before_commit(self) -> Self {
        self.with(JobOptions::before_commit)
    }

    /// Dispatches it. `None`: another has its unique key.
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn dispatch(self) -> Result<Option<JobId>, QueueError> {
        self.queue.dispatch_with(&self.job, &self.options).await
    }
}
