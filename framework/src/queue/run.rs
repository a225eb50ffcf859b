use std::{fmt, time::Duration};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::JobId;

/// One attempt at a job, for the job itself.
pub struct JobRun {
    id: JobId,
    queue: String,
    attempt: u32,
    tries: u32,
    stop: watch::Receiver<bool>,
    wish: Mutex<Option<Wish>>,
}

/// What a job wants to become of it, whatever it returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wish {
    Release(Duration),
    Fail(String),
}

impl JobRun {
    pub(super) fn new(id: JobId, queue: &str, attempt: u32, tries: u32, stop: watch::Receiver<bool>) -> Self {
        Self { id, queue: queue.to_owned(), attempt, tries, stop, wish: Mutex::default() }
    }

    /// The job's key.
    pub fn id(&self) -> JobId {
        self.id
    }

    /// The queue it came from.
    pub fn queue(&self) -> &str {
        &self.queue
    }

    /// Which attempt this is, from 1.
    pub fn attempt(&self) -> u32 {
        self.attempt
    }

    /// Whether no other follows, where this one fails.
    pub fn is_last(&self) -> bool {
        self.attempt >= self.tries
    }

    /// Whether the worker is being stopped: a long job does well to [release](Self::release) itself.
    pub fn should_stop(&self) -> bool {
        *self.stop.borrow()
    }

    /// Waits until the worker is being stopped.
    pub async fn stopping(&self) {
        let mut stop = self.stop.clone();
        // Where the worker is gone, so is this job before long.
        if stop.wait_for(|stop| *stop).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Once it has returned without an error, it goes back for so long, and this was no attempt.
    pub fn release(&self, after: Duration) {
        *self.wish.lock() = Some(Wish::Release(after));
    }

    /// Once it has returned, it has failed for good, whatever tries are left.
    pub fn fail(&self, why: impl Into<String>) {
        *self.wish.lock() = Some(Wish::Fail(why.into()));
    }

    pub(super) fn wish(&self) -> Option<Wish> {
        self.wish.lock().clone()
    }
}

impl fmt::Debug for JobRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobRun").field("id", &self.id).field("attempt", &self.attempt).finish_non_exhaustive()
    }
}
