use std::time::Duration;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde::Serialize;
use uuid::Uuid;

use super::{JobId, Message};
use crate::support::{BoxError, Timestamp};

/// Where jobs wait, are claimed and end. What a job is, how often it is tried and when it is tried again are the
/// [`Queue`](super::Queue)'s and the worker's affair; a driver keeps messages and sees to it that none is lost and none is
/// settled by whoever no longer has it.
///
/// # What every driver keeps
///
/// - **Once [`push`](Self::push) has returned, a message is there** until it is settled as done or failed, as durably as
///   [`durability`](Self::durability) says.
/// - **A claim carries a [`Token`]** that is another one each time the message is claimed. Whatever settles a message names the
///   token; with one that is no longer in force it is [`Settled::Stale`], and nothing is changed.
/// - **A message belongs to one worker at a time**, for as long as that worker [beats](Self::beat). When it has not for the time
///   it gave, [`tend`](Self::tend) makes its messages ready again.
/// - **Due messages become ready in one step**: none is in two places, and none in no place.
///
/// Moments are the application's own [`Clock`](crate::support::Clock)'s.
pub trait Driver: Send + Sync + 'static {
    /// Stores messages, in one round trip where it can be: all of them, or an error and none. One whose unique key is taken is
    /// not stored, and is [`Pushed::Duplicate`].
    fn push(&self, messages: Vec<Message>) -> BoxFuture<'_, Result<Vec<Pushed>, DriverError>>;

    /// Claims what is ready, at most so many: of the first queue that has any, the most urgent first and of these the oldest.
    /// It returns at once, also with nothing.
    fn claim<'a>(&'a self, claim: Claim<'a>) -> BoxFuture<'a, Result<Vec<Claimed>, DriverError>>;

    /// Ends claims, in one round trip where it can be; what became of each, in their order.
    fn settle(&self, settlements: Vec<Settlement>) -> BoxFuture<'_, Result<Vec<Settled>, DriverError>>;

    /// Says that a worker is alive, and will be for so long from now at least. For no time at all: it has gone, and whatever it
    /// still holds is ready again.
    fn beat(&self, worker: Uuid, lives: Duration) -> BoxFuture<'_, Result<(), DriverError>>;

    /// Makes ready what has become due, and what the dead have left behind.
    fn tend<'a>(&'a self, queues: &'a [String]) -> BoxFuture<'a, Result<Tended, DriverError>>;

    /// Waits until something may have become ready in one of these queues, and no longer than this.
    fn wait<'a>(&'a self, queues: &'a [String], longest: Duration) -> BoxFuture<'a, ()>;

    /// What there is in a queue.
    fn depth<'a>(&'a self, queue: &'a str) -> BoxFuture<'a, Result<Depth, DriverError>>;

    /// Takes out of a queue what is ready or scheduled, and leaves what runs; how much that was.
    fn clear<'a>(&'a self, queue: &'a str) -> BoxFuture<'a, Result<u64, DriverError>>;

    /// The messages that failed for good.
    fn failed(&self) -> &dyn FailedJobs;

    /// What a stored message outlives.
    fn durability(&self) -> Durability;
}

/// The messages that failed for good, which wait for somebody to look at them.
pub trait FailedJobs: Send + Sync {
    /// All, or these, the latest first.
    fn list<'a>(&'a self, only: Option<&'a [JobId]>) -> BoxFuture<'a, Result<Vec<FailedJob>, DriverError>>;

    /// Makes these ready again, as if they had never been tried; how many there were.
    fn retry<'a>(&'a self, ids: &'a [JobId]) -> BoxFuture<'a, Result<u64, DriverError>>;

    /// Deletes these; how many there were.
    fn forget<'a>(&'a self, ids: &'a [JobId]) -> BoxFuture<'a, Result<u64, DriverError>>;
}

/// Which claim of a message this is. It grows with each.
pub type Token = u64;

/// What became of a message that was pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// It is stored.
    Stored,
    /// Another one has its unique key.
    Duplicate,
}

/// What a worker asks for.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// The worker.
    pub worker: Uuid,
    /// From these queues, the first that has anything first.
    pub queues: &'a [String],
    /// At most so many.
    pub most: usize,
}

/// A message that a worker has now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The message.
    pub message: Message,
    /// What it is settled with.
    pub token: Token,
    /// Which attempt this is, from 1. A claim that was [released](Outcome::Release) was none.
    pub attempt: u32,
    /// How often a worker died while it had it.
    pub crashes: u32,
}

/// The end of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The message.
    pub id: JobId,
    /// Its queue.
    pub queue: String,
    /// The claim.
    pub token: Token,
    /// What is to become of it.
    pub outcome: Outcome,
}

/// What is to become of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is done, and goes.
    Done,
    /// It is tried again at that moment.
    Retry {
        /// When.
        due: Timestamp,
    },
    /// It goes back as if this claim had not been: at once, or at that moment.
    Release {
        /// When.
        due: Option<Timestamp>,
        /// With this payload from now on, where one is given: how far it has come, for one.
        payload: Option<Bytes>,
    },
    /// It is put with the failed ones.
    Fail {
        /// Why.
        error: String,
        /// When.
        at: Timestamp,
    },
}

/// What became of a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It is carried out.
    Done,
    /// The claim is no longer in force, and nothing was changed.
    Stale,
}

/// What tending came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tended {
    /// How many messages became due.
    pub due: u64,
    /// How many were left by workers that are gone.
    pub rescued: u64,
    /// In how long the next becomes due, where one will.
    pub next: Option<Duration>,
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

/// What a stored message outlives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Durability {
    /// Nothing: it is in the memory of this process.
    Process,
    /// The process.
    Host,
    /// A power cut.
    Disk,
}

/// A driver could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DriverError {
    /// It cannot be reached, or is too slow; it may work a moment later. Of a push it is not known whether it happened.
    #[error("{0}")]
    Unavailable(#[source] BoxError),
    /// It can be reached, and did not do this.
    #[error("{0}")]
    Refused(#[source] BoxError),
}
