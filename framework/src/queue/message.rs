use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::{BatchId, NewBatch};
use crate::support::{Id, Timestamp};

/// The key of a job that was dispatched.
pub type JobId = Id<Message>;

/// A job on its way through a driver, which knows nothing of what it does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its key.
    pub id: JobId,
    /// In which queue it waits.
    pub queue: String,
    /// Before which others.
    pub priority: Priority,
    /// Not before that moment; at once where not given.
    pub due: Option<Timestamp>,
    /// So long after it is pushed, whenever that is: of what follows something else. See [`Push::begin`].
    pub delay: Option<Duration>,
    /// Beside no other of this key.
    pub unique: Option<Unique>,
    /// Of which batch it is a member.
    pub batch: Option<BatchId>,
    /// The kind of job, for people who look into the queue.
    pub kind: Cow<'static, str>,
    /// What the worker reads.
    pub payload: Bytes,
}

impl Message {
    /// What a driver has found where its messages are and cannot read, as one that can be put with the failed jobs.
    pub(super) fn unreadable(id: JobId, queue: String, payload: Bytes) -> Self {
        Self {
            id,
            queue,
            priority: Priority::Normal,
            due: None,
            delay: None,
            unique: None,
            batch: None,
            kind: Cow::Borrowed("unreadable"),
            payload,
        }
    }
}

/// What is pushed together: all of it, or nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Push {
    /// Messages.
    pub messages: Vec<Message>,
    /// Batches that begin with it.
    pub batches: Vec<NewBatch>,
    /// By how many members a batch that has begun before grows. One that is not known, or has finished, does not.
    pub grown: Vec<(BatchId, u64)>,
}

impl Push {
    /// Nothing at all.
    pub const NOTHING: Self = Self { messages: Vec::new(), batches: Vec::new(), grown: Vec::new() };

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty() && self.batches.is_empty() && self.grown.is_empty()
    }

    /// Its messages become due as of now, where they have a delay. Every driver does this first with what it pushes.
    #[must_use]
    pub fn begin(mut self, now: Timestamp) -> Self {
        for message in &mut self.messages {
            if let Some(delay) = message.delay.take() {
                message.due = Some(now.plus(delay));
            }
        }
        self
    }

    /// Adds what another pushes.
    pub fn extend(&mut self, other: Self) {
        self.messages.extend(other.messages);
        self.batches.extend(other.batches);
        self.grown.extend(other.grown);
    }

    /// Whether it goes on with what is a member of this batch.
    pub(super) fn carries(&self, batch: BatchId) -> bool {
        self.messages.iter().any(|message| message.batch == Some(batch))
            || self.batches.iter().any(|new| new.part_of.is_some_and(|part| part.batch == batch))
    }
}

impl From<Vec<Message>> for Push {
    fn from(messages: Vec<Message>) -> Self {
        Self { messages, ..Self::NOTHING }
    }
}

/// Which of a queue's jobs go first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Before all others.
    High,
    /// As they come.
    #[default]
    Normal,
    /// When there is nothing else.
    Low,
}

impl Priority {
    /// All, the most urgent first.
    pub const ALL: [Self; 3] = [Self::High, Self::Normal, Self::Low];
}

/// A job beside which there is no other of its key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unique {
    /// The key, which the kind of job is a part of.
    pub key: String,
    /// How long the key is taken at most.
    pub lasts: Duration,
    /// Until when.
    pub until: UniqueUntil,
}

/// Until when a unique job keeps others of its key out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UniqueUntil {
    /// Until it is done or has failed for good.
    #[default]
    Done,
    /// Until a worker begins with it.
    Start,
}
