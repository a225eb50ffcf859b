use std::time::Duration;

use crate::{
    queue::{self, Batch, BatchId, BatchStatus, Chain, Depth, Job, JobId, QueueError},
    service::facade,
};

/// The application's queues.
///
/// ```
/// use paravel::{facades::Queue, queue::{Job, JobId, QueueError}};
///
/// async fn moor<Moor: Job>(moor: Moor) -> Result<Option<JobId>, QueueError> {
///     Queue::dispatch(moor).await
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Queue;

impl Queue {
    /// The queues themselves, which are also what others are built with, and what takes [options](queue::Queue::job).
    ///
    /// # Errors
    /// [`QueueError::Container`]: there is no application here.
    pub fn handle() -> Result<std::sync::Arc<queue::Queue>, QueueError> {
        Ok(facade::<queue::Queue>()?)
    }

    /// [`queue::Queue::dispatch`].
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn dispatch<J: Job>(job: J) -> Result<Option<JobId>, QueueError> {
        Self::handle()?.dispatch(job).await
    }

    /// [`queue::Queue::dispatch_after`].
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn dispatch_after<J: Job>(delay: Duration, job: J) -> Result<Option<JobId>, QueueError> {
        Self::handle()?.dispatch_after(delay, job).await
    }

    /// [`queue::Queue::dispatch_many`].
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn dispatch_many<J: Job>(jobs: impl IntoIterator<Item = J>) -> Result<Vec<Option<JobId>>, QueueError> {
        Self::handle()?.dispatch_many(jobs).await
    }

    /// [`queue::Queue::dispatch_sync`].
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn dispatch_sync<J: Job>(job: J) -> Result<(), QueueError> {
        Self::handle()?.dispatch_sync(job).await
    }

    /// [`queue::Queue::chain`].
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn chain(chain: Chain) -> Result<(), QueueError> {
        Self::handle()?.chain(chain).await
    }

    /// [`queue::Queue::batch`].
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn batch(batch: Batch) -> Result<BatchId, QueueError> {
        Self::handle()?.batch(batch).await
    }

    /// [`queue::Queue::find_batch`].
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn find_batch(id: BatchId) -> Result<Option<BatchStatus>, QueueError> {
        Self::handle()?.find_batch(id).await
    }

    /// [`queue::Queue::depth`].
    ///
    /// # Errors
    /// [`QueueError`].
    pub async fn depth(queue: &str) -> Result<Depth, QueueError> {
        Self::handle()?.depth(queue).await
    }

    /// Begins to record jobs in place of their being queued, in the application that runs here: a test's.
    ///
    /// # Errors
    /// [`QueueError::Container`]: there is no application here.
    #[cfg(feature = "testing")]
    pub fn fake() -> Result<queue::QueueFake, QueueError> {
        Ok(Self::handle()?.fake())
    }
}
