use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::support::Timestamp;

/// What came of a time at which a task was due.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Ran {
    /// The task.
    pub task: String,
    /// The time.
    pub due: Timestamp,
    /// What came of it.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// How long that took, in milliseconds as JSON.
    #[serde(rename = "milliseconds", serialize_with = "milliseconds")]
    pub took: Duration,
}

fn milliseconds<S: serde::Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(u64::try_from(took.as_millis()).unwrap_or(u64::MAX))
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "lowercase")]
#[non_exhaustive]
pub enum Outcome {
    /// The task did its work.
    Done,
    /// It failed, panicked, was cut off or could not be begun.
    Failed {
        /// Why.
        error: String,
    },
    /// There was no run, as it should be.
    Skipped {
        /// Why.
        reason: Skip,
    },
}

/// Why there was no run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Skip {
    /// It is for other environments.
    Environment,
    /// A condition did not hold.
    Condition,
    /// Somebody else has taken the run.
    Elsewhere,
    /// It still ran, here or elsewhere.
    Overlapping,
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Environment => "it is for other environments",
            Self::Condition => "a condition did not hold",
            Self::Elsewhere => "the run was taken elsewhere",
            Self::Overlapping => "it still ran",
        })
    }
}

/// A scheduled task has failed. It is logged, and an application that wants to do more listens to it as to any event.
///
/// ```
/// use paravel::{listener, schedule::TaskFailed, support::BoxError};
///
/// #[listener]
/// async fn tell_the_operators(failed: &TaskFailed) -> Result<(), BoxError> {
///     eprintln!("{} has failed: {}", failed.task, failed.error);
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TaskFailed {
    /// The task.
    pub task: String,
    /// When it was due.
    pub due: Timestamp,
    /// Why it failed.
    pub error: String,
}

/// What a scheduler did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct WorkReport {
    /// How many runs did their work.
    pub done: u64,
    /// How many failed.
    pub failed: u64,
    /// How often there was no run, as it should be.
    pub skipped: u64,
}

impl WorkReport {
    pub(super) fn count(&mut self, ran: &Ran) {
        match ran.outcome {
            Outcome::Done => self.done += 1,
            Outcome::Failed { .. } => self.failed += 1,
            Outcome::Skipped { .. } => self.skipped += 1,
        }
    }
}
