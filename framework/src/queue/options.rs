use std::time::Duration;

use super::{Backoff, Job, Priority};
use crate::support::Timestamp;

/// How a job is dispatched, where that is to be other than its kind says.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "it is for a dispatch"]
pub struct JobOptions {
    pub(super) queue: String,
    pub(super) priority: Priority,
    pub(super) due: Due,
    pub(super) tries: u32,
    pub(super) backoff: Backoff,
    pub(super) timeout: Duration,
    pub(super) retry_for: Option<Duration>,
    pub(super) after_commit: bool,
}

/// When a job may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    At(Timestamp),
    After(Duration),
}

/// What a job has whose kind says nothing.
impl Default for JobOptions {
    fn default() -> Self {
        Self {
            queue: "default".to_owned(),
            priority: Priority::Normal,
            due: Due::After(Duration::ZERO),
            tries: 3,
            backoff: Backoff::DEFAULT,
            timeout: Duration::from_secs(60),
            retry_for: None,
            after_commit: true,
        }
    }
}

impl JobOptions {
    /// What the kind says.
    pub fn of<J: Job>() -> Self {
        Self {
            queue: J::QUEUE.to_owned(),
            priority: J::PRIORITY,
            due: Due::After(Duration::ZERO),
            tries: J::TRIES.max(1),
            backoff: J::BACKOFF,
            timeout: J::TIMEOUT,
            retry_for: J::RETRY_FOR,
            after_commit: J::AFTER_COMMIT,
        }
    }

    pub(crate) fn queue(&self) -> &str {
        &self.queue
    }

    /// In this queue.
    pub fn on(self, queue: impl Into<String>) -> Self {
        Self { queue: queue.into(), ..self }
    }

    /// Before or after others.
    pub fn priority(self, priority: Priority) -> Self {
        Self { priority, ..self }
    }

    /// No sooner than this after its turn has come: from now, or after what it follows in a chain.
    pub fn after(self, delay: Duration) -> Self {
        Self { due: Due::After(delay), ..self }
    }

    /// No sooner than at this moment.
    pub fn at(self, moment: Timestamp) -> Self {
        Self { due: Due::At(moment), ..self }
    }

    /// So often at most, from 1.
    pub fn tries(self, tries: u32) -> Self {
        Self { tries: tries.max(1), ..self }
    }

    /// With these pauses between attempts.
    pub fn backoff(self, backoff: Backoff) -> Self {
        Self { backoff, ..self }
    }

    /// So long an attempt at most.
    pub fn timeout(self, timeout: Duration) -> Self {
        Self { timeout, ..self }
    }

    /// Not any more when so long has passed, however many tries are left.
    pub fn retry_for(self, lasts: Duration) -> Self {
        Self { retry_for: Some(lasts), ..self }
    }

    /// At once, although a transaction is open that may be rolled back.
    pub fn before_commit(self) -> Self {
        Self { after_commit: false, ..self }
    }
}
