use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde::Serialize;
use uuid::Uuid;

use super::{BatchId, BatchStatus, DriverError, JobId, Message};
use crate::support::Timestamp;

/// What people ask of a [`Driver`](super::Driver), and tell it: none of it is needed to run a job.
pub trait QueueAdmin: Send + Sync {
    /// What there is in each queue that has, or had, anything, by name.
    fn depths(&self) -> BoxFuture<'_, Result<Vec<(String, Depth)>, DriverError>>;

    /// Takes out of a queue what is ready or scheduled, and leaves what runs; how much that was. Members of a batch count as
    /// cancelled.
    fn clear<'a>(&'a self, queue: &'a str) -> BoxFuture<'a, Result<u64, DriverError>>;

    /// Tells all workers something.
    fn order(&self, order: Order) -> BoxFuture<'_, Result<(), DriverError>>;

    /// What each worker that is alive last said of itself.
    fn workers(&self) -> BoxFuture<'_, Result<Vec<(Uuid, Bytes)>, DriverError>>;

    /// What is stored in a queue, in no order: a page, and where the next begins.
    fn peek<'a>(&'a self, queue: &'a str, from: Option<String>) -> BoxFuture<'a, Result<Peeked, DriverError>>;

    /// The messages that failed for good.
    fn failed(&self) -> &dyn FailedJobs;

    /// The batches.
    fn batches(&self) -> &dyn Batches;
}

/// The messages that failed for good, which wait for somebody to look at them.
pub trait FailedJobs: Send + Sync {
    /// All, or these, the latest first.
    fn list<'a>(&'a self, only: Option<&'a [JobId]>) -> BoxFuture<'a, Result<Vec<FailedJob>, DriverError>>;

    /// The keys of all, the latest first: there may be more of them than what they are has room in memory.
    fn keys(&self) -> BoxFuture<'_, Result<Vec<JobId>, DriverError>>;

    /// Makes these ready again, as if they had never been tried, and members again of the batches they were members of; how many
    /// that were. One whose unique key another has by now stays where it is.
    fn retry<'a>(&'a self, ids: &'a [JobId]) -> BoxFuture<'a, Result<u64, DriverError>>;

    /// Deletes these; how many there were.
    fn forget<'a>(&'a self, ids: &'a [JobId]) -> BoxFuture<'a, Result<u64, DriverError>>;

    /// Deletes those that failed before that moment; how many there were.
    fn prune(&self, before: Timestamp) -> BoxFuture<'_, Result<u64, DriverError>>;
}

/// The batches, also those that have finished, until they are pruned.
pub trait Batches: Send + Sync {
    /// All, or these, the latest first.
    fn list<'a>(&'a self, only: Option<&'a [BatchId]>) -> BoxFuture<'a, Result<Vec<BatchStatus>, DriverError>>;

    /// Cancels a batch that has not finished: of its members, those that wait are not run any more. Whether there was one.
    fn cancel(&self, id: BatchId) -> BoxFuture<'_, Result<bool, DriverError>>;

    /// Deletes those that finished before that moment; how many there were.
    fn prune(&self, before: Timestamp) -> BoxFuture<'_, Result<u64, DriverError>>;
}

/// What there is in a queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Depth {
    /// How many could be claimed.
    pub ready: u64,
    /// How many are not yet due.
    pub scheduled: u64,
    /// How many a worker has.
    pub running: u64,
    /// Since when the oldest of those that could be claimed waits, as far as the driver can tell.
    pub oldest: Option<Timestamp>,
    /// Whether nothing is claimed from it.
    pub paused: bool,
}

impl Depth {
    /// All that is there.
    pub const fn total(&self) -> u64 {
        self.ready + self.scheduled + self.running
    }

    /// How long the oldest of those that could be claimed has waited by that moment, as far as the driver can tell.
    pub fn waited(&self, now: Timestamp) -> Option<Duration> {
        self.oldest.map(|oldest| (now.utc() - oldest.utc()).to_std().unwrap_or_default())
    }
}

/// What all workers are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// Nothing is claimed from this queue any more.
    Pause(String),
    /// It is again.
    Continue(String),
    /// Workers that began before that moment end what they do and stop; whoever keeps them running starts them anew.
    Restart(Timestamp),
}

/// A page of what is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peeked {
    /// Some of the messages.
    pub messages: Vec<Message>,
    /// Where the next page begins, where there is one.
    pub next: Option<String>,
}

/// A message that failed for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedJob {
    /// The message, as it was pushed.
    pub message: Message,
    /// Why it failed.
    pub error: String,
    /// When.
    pub failed_at: Timestamp,
    /// After how many attempts.
    pub attempts: u32,
}
