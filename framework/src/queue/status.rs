use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Outcome, WorkerReport};
use crate::support::Timestamp;

/// What a worker says of itself with each beat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct WorkerStatus {
    /// Its process.
    pub process: u32,
    /// Its machine.
    pub host: String,
    /// When it began.
    pub started_at: Timestamp,
    /// The queues that it works on.
    pub queues: Vec<String>,
    /// How many jobs it runs at most.
    pub concurrency: usize,
    /// How many it runs.
    pub running: usize,
    /// What it did since it began.
    pub report: WorkerReport,
    /// What it did of each kind of job.
    pub kinds: BTreeMap<String, AttemptStats>,
    /// What it did of each queue.
    #[serde(default)]
    pub by_queue: BTreeMap<String, AttemptStats>,
}

/// What became of attempts at jobs of one kind, or of one queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttemptStats {
    /// How many attempts ended without an error.
    pub done: u64,
    /// How many attempts failed.
    pub errors: u64,
    /// How many jobs failed for good.
    pub failed: u64,
    /// How long all attempts took together, in microseconds.
    pub run_micros: u64,
    /// How many jobs came to their first attempt here.
    #[serde(default)]
    pub begun: u64,
    /// How long these were ready before it, in milliseconds.
    pub wait_millis: u64,
}

impl AttemptStats {
    /// An attempt has ended.
    pub(super) fn add(&mut self, outcome: &Outcome, took: Duration, waited: Option<Duration>) {
        match outcome {
            Outcome::Done { .. } => self.done += 1,
            Outcome::Retry { .. } => self.errors += 1,
            Outcome::Fail { .. } => (self.errors, self.failed) = (self.errors + 1, self.failed + 1),
            // Neither came to anything.
            Outcome::Release { .. } | Outcome::Cancel => return,
        }
        self.run_micros += u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        if let Some(waited) = waited {
            self.begun += 1;
            self.wait_millis += u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        }
    }

    /// Adds what another worker did.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            done: self.done + other.done,
            errors: self.errors + other.errors,
            failed: self.failed + other.failed,
            run_micros: self.run_micros + other.run_micros,
            begun: self.begun + other.begun,
            wait_millis: self.wait_millis + other.wait_millis,
        }
    }

    /// How many attempts came to an end.
    pub const fn attempts(&self) -> u64 {
        self.done + self.errors
    }

    /// How long an attempt took on average, in milliseconds; `None` where none has ended.
    pub fn mean_run(&self) -> Option<f64> {
        mean(self.run_micros, self.attempts()).map(|micros| micros / 1e3)
    }

    /// How long a job was ready on average before its first attempt, in milliseconds; `None` where none came to it.
    pub fn mean_wait(&self) -> Option<f64> {
        mean(self.wait_millis, self.begun)
    }
}

fn mean(sum: u64, count: u64) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a mean")]
    let mean = sum as f64 / count as f64;
    (count > 0).then_some(mean)
}

/// What a worker said, where this release understands it.
pub(super) fn read(said: &[u8]) -> Option<WorkerStatus> {
    serde_json::from_slice(said).ok()
}
