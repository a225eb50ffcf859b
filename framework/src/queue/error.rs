use std::sync::Arc;

use super::{DriverError, JobId};
use crate::container::ContainerError;

/// A job could not be dispatched, or the queue not be asked.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum QueueError {
    /// There is no application whose queue it could be.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// The job's fields cannot be written.
    #[error("the job `{kind}` cannot be written: {reason}")]
    NotWritable {
        /// Its kind.
        kind: String,
        /// What serde says.
        reason: String,
    },
    /// A queue that cannot be called so.
    #[error("a queue cannot be called `{queue}`: its name has 1 to 255 bytes")]
    Name {
        /// Its name.
        queue: String,
    },
    /// Where jobs wait is not to be had.
    #[error("the queue could not {operation}: {source}")]
    Driver {
        /// What it was to do.
        operation: &'static str,
        /// Why it could not.
        source: Arc<DriverError>,
    },
    /// A job was to end in its own transaction, and its queue is not in the database of that.
    #[error(
        "the job {job} cannot end in this transaction, since its queue is not in the same database: keep the queue there by \
         `DatabaseDriver`, or mark the job by `Inbox` and let the worker end it"
    )]
    Elsewhere {
        /// The job.
        job: JobId,
    },
    /// A job was to end in its own transaction, and had been given to another worker by then.
    #[error("the job {job} was given to another worker while it ran here, so its transaction must not be committed")]
    Stale {
        /// The job.
        job: JobId,
    },
    /// A job that was to run where it was dispatched failed there.
    #[error("the job `{kind}` failed: {reason}")]
    Failed {
        /// Its kind.
        kind: String,
        /// What it returned, or that it panicked.
        reason: String,
    },
    /// There is no failed job of that key.
    #[error("no failed job is {}: `artisan queue:failed` lists those there are", listed(.ids))]
    NotFailed {
        /// The keys that no failed job has.
        ids: Vec<JobId>,
    },
}

fn listed(ids: &[JobId]) -> String {
    ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(" or ")
}
