use std::sync::Arc;

use super::DriverError;
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
        kind: &'static str,
        /// What serde says.
        reason: String,
    },
    /// Where jobs wait is not to be had.
    #[error("the queue could not {operation}: {source}")]
    Driver {
        /// What it was to do.
        operation: &'static str,
        /// Why it could not.
        source: Arc<DriverError>,
    },
    /// A job that was to run where it was dispatched failed there.
    #[error("the job `{kind}` failed: {reason}")]
    Failed {
        /// Its kind.
        kind: &'static str,
        /// What it returned, or that it panicked.
        reason: String,
    },
}
