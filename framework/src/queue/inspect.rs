//! What people ask of the queues, beside [`Queue`]'s own work.

use super::{BatchStatus, FailedJob, JobId, Peeked, Queue, QueueError, handle::failed};
use crate::support::Timestamp;

impl Queue {
    /// What is stored in a queue, in no order: a page, and where the next begins.
    ///
    /// # Errors
    /// [`QueueError::Driver`].
    pub async fn peek(&self, queue: &str, from: Option<String>) -> Result<Peeked, QueueError> {
        self.driver().admin().peek(queue, from).await.map_err(|error| failed("show what it has", error))
    }

    /// Failed jobs by their keys, the latest first.
    ///
    /// # Errors
    /// [`QueueError::NotFailed`], with each key that no failed job has; [`QueueError::Driver`].
    pub async fn find_failed(&self, ids: &[JobId]) -> Result<Vec<FailedJob>, QueueError> {
        let found = self.failed_among(ids).await?;
        let is_there = |id: &JobId| found.iter().any(|job| job.message.id == *id);
        let missing: Vec<_> = ids.iter().copied().filter(|id| !is_there(id)).collect();
        if missing.is_empty() { Ok(found) } else { Err(QueueError::NotFailed { ids: missing }) }
    }

    /// The keys of the failed jobs, the latest first, for who looks at [some of them](Self::find_failed) at a time.
    ///
    /// # Errors
    /// [`QueueError::Driver`].
    pub async fn failed_keys(&self) -> Result<Vec<JobId>, QueueError> {
        self.driver().admin().failed().keys().await.map_err(|error| failed("list what failed", error))
    }

    /// Those of these that are failed jobs, the latest first.
    pub(super) async fn failed_among(&self, ids: &[JobId]) -> Result<Vec<FailedJob>, QueueError> {
        self.driver().admin().failed().list(Some(ids)).await.map_err(|error| failed("find what failed", error))
    }

    /// Deletes the failed jobs that failed before that moment; how many there were.
    ///
    /// # Errors
    /// [`QueueError::Driver`].
    pub async fn prune_failed(&self, before: Timestamp) -> Result<u64, QueueError> {
        self.driver().admin().failed().prune(before).await.map_err(|error| failed("prune what failed", error))
    }

    /// The batches, the latest first, also those that have finished, until they are pruned.
    ///
    /// # Errors
    /// [`QueueError::Driver`].
    pub async fn batches(&self) -> Result<Vec<BatchStatus>, QueueError> {
        self.driver().admin().batches().list(None).await.map_err(|error| failed("list its batches", error))
    }

    /// Deletes the batches that finished before that moment; how many there were.
    ///
    /// # Errors
    /// [`QueueError::Driver`].
    pub async fn prune_batches(&self, before: Timestamp) -> Result<u64, QueueError> {
        self.driver().admin().batches().prune(before).await.map_err(|error| failed("prune its batches", error))
    }
}
