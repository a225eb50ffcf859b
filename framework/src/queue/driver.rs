use std::{any::Any, time::Duration};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use serde::Serialize;
use uuid::Uuid;

use super::{BatchEnd, BatchId, JobId, Message, Push, QueueAdmin};
use crate::support::{BoxError, Timestamp};

/// Where jobs wait, are claimed and end. What a job is, how often it is tried and when it is tried again are the
/// [`Queue`](super::Queue)'s and the worker's affair; a driver keeps messages and sees to it that none is lost and none is
/// settled by whoever no longer has it.
///
/// A broker with acknowledgements and redelivery can be one: nothing here asks for a message by its place in a queue. What only
/// people ask is in [`QueueAdmin`].
///
/// # What every driver keeps
///
/// - **Once [`push`](Self::push) has returned, a message is there** until it is settled as done or failed, as durably as
///   [`durability`](Self::durability) says.
/// - **A claim carries a [`Receipt`]**, whose token grows each time the message is claimed. Whatever settles a message shows it;
///   one that is no longer in force is [`Settled::Stale`], and nothing is changed.
/// - **A message belongs to one worker at a time**, for as long as that worker [beats](Self::beat). When it has not for the time
///   it gave, [`tend`](Self::tend) makes its messages ready again.
/// - **Due messages become ready in one step**: none is in two places, and none in no place.
/// - **What follows a message comes with its end**: an [`Outcome::Done`] and what it pushes are one step, and so are the end of a
///   batch's last member and what the batch then pushes.
///
/// Moments are the application's own [`Clock`](crate::support::Clock)'s; whether a worker is alive is told by time that passes,
/// which a clock that is set does not change.
pub trait Driver: Any + Send + Sync {
    /// Stores messages, and the batches that they are members of, in one round trip where it can be: all of them, or an error and
    /// none; what became of each message, in their order. One whose unique key is taken is not stored, and is
    /// [`Pushed::Duplicate`]. Whoever did not hear of it pushes once more: a batch that is there already is left as it is, and its
    /// members are not stored again.
    fn push(&self, push: Push) -> BoxFuture<'_, Result<Vec<Pushed>, DriverError>>;

    /// Ends claims, and then makes new ones, in one round trip where it can be. It returns at once, also with nothing. Where it
    /// fails it is tried again with the same ends: those that had been carried out are [`Settled::Stale`] then.
    fn turn<'a>(&'a self, turn: Turn<'a>) -> BoxFuture<'a, Result<Turned, DriverError>>;

    /// Says that a worker is alive, and hears what it was told.
    fn beat<'a>(&'a self, beat: Beat<'a>) -> BoxFuture<'a, Result<Orders, DriverError>>;

    /// Makes ready what has become due in these queues, and what the dead have left behind, in whichever.
    fn tend<'a>(&'a self, queues: &'a [String]) -> BoxFuture<'a, Result<Tended, DriverError>>;

    /// Waits until something may have become ready in one of these queues, and no longer than this.
    fn wait<'a>(&'a self, queues: &'a [String], longest: Duration) -> BoxFuture<'a, ()>;

    /// What a stored message outlives.
    fn durability(&self) -> BoxFuture<'_, Result<Durability, DriverError>>;

    /// What people ask and order.
    fn admin(&self) -> &dyn QueueAdmin;
}

/// What a worker has done, and asks for.
#[derive(Debug, Clone, Copy)]
pub struct Turn<'a> {
    /// The worker.
    pub worker: Uuid,
    /// What became of claims.
    pub ends: &'a [Settlement],
    /// From these queues, the first that has anything first, of each the most urgent, and of these the oldest.
    pub queues: &'a [String],
    /// At most so many; none for 0.
    pub most: usize,
}

/// What came of a turn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Turned {
    /// What became of each end, in their order.
    pub settled: Vec<Settled>,
    /// What the worker has now.
    pub claimed: Vec<Claimed>,
}

/// What a claim is settled with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Which claim of the message it is. It grows with each.
    pub token: u64,
    /// Where the driver finds it: its own affair, and empty for one that needs none.
    pub place: Bytes,
}

/// A message that a worker has now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claimed {
    /// The message.
    pub message: Message,
    /// What it is settled with.
    pub receipt: Receipt,
    /// Which attempt this is, from 1. A claim that was [released](Outcome::Release), or whose worker died, was none.
    pub attempt: u32,
    /// How often a worker died while it had it.
    pub crashes: u32,
    /// Whether the batch that it is a member of was cancelled, so that it need not run.
    pub cancelled: bool,
}

impl Claimed {
    /// The end of this claim.
    pub fn end(&self, outcome: Outcome) -> Settlement {
        let Message { id, batch, .. } = self.message;
        Settlement { id, queue: self.message.queue.clone(), receipt: self.receipt.clone(), outcome, batch }
    }
}

/// The end of a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The message.
    pub id: JobId,
    /// Its queue.
    pub queue: String,
    /// The claim.
    pub receipt: Receipt,
    /// What is to become of it.
    pub outcome: Outcome,
    /// Of which batch it is a member.
    pub batch: Option<BatchId>,
}

impl Settlement {
    /// What it is for the batch that it is a member of: one that is done, or has failed for good, has ended for the batch too.
    pub fn batch_end(&self) -> Option<(BatchId, BatchEnd)> {
        let batch = self.batch?;
        let end = match &self.outcome {
            // What follows it is the member that is left.
            Outcome::Done { then } if then.carries(batch) => return None,
            Outcome::Done { .. } => BatchEnd::Done,
            Outcome::Fail { .. } => BatchEnd::Failed,
            Outcome::Cancel => BatchEnd::Cancelled,
            Outcome::Retry { .. } | Outcome::Release { .. } => return None,
        };
        Some((batch, end))
    }

    /// Whether it goes, and nothing else comes of that.
    pub(super) fn is_plain(&self) -> bool {
        let goes = match &self.outcome {
            Outcome::Done { then } => then.is_empty(),
            outcome => *outcome == Outcome::Cancel,
        };
        goes && self.batch.is_none()
    }
}

/// What is to become of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is done, and goes, and this comes in its place.
    Done {
        /// The rest of a chain, or nothing.
        then: Push,
    },
    /// It was not run, since its batch was cancelled, and goes.
    Cancel,
    /// It is tried again at that moment.
    Retry {
        /// When.
        due: Timestamp,
        /// With this payload from now on, where one is given: how far it has come.
        payload: Option<Bytes>,
    },
    /// It goes back as if this claim had not been: at once, or at that moment.
    Release {
        /// When.
        due: Option<Timestamp>,
        /// With this payload from now on, where one is given: how far it has come.
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

impl Outcome {
    /// It is done, and nothing follows.
    pub const DONE: Self = Self::Done { then: Push::NOTHING };
}

/// What became of a message that was pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pushed {
    /// It is stored.
    Stored,
    /// Another one has its unique key.
    Duplicate,
}

/// What became of a settlement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It is carried out.
    Done,
    /// The claim is no longer in force, and nothing was changed.
    Stale,
}

/// A sign of life.
#[derive(Debug, Clone, Copy)]
pub struct Beat<'a> {
    /// The worker.
    pub worker: Uuid,
    /// It will be alive for so long from now at least. For no time at all: it has gone, and whatever it still holds is ready again.
    pub lives: Duration,
    /// What it says of itself, for [`QueueAdmin::workers`].
    pub status: &'a [u8],
}

/// What workers were told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Orders {
    /// Those that began before that moment are to end.
    pub restart: Option<Timestamp>,
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

/// What a stored message outlives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Durability {
    /// Nothing: it is in the memory of this process, or of a server that keeps nothing else.
    Process,
    /// The process, and not all that may befall the machine that stores it.
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
