use std::time::Duration;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::support::{Id, Timestamp};

/// The key of a job that was dispatched.
pub type JobId = Id<Message>;

/// A job on its way through a driver, which knows nothing of what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its key.
    pub id: JobId,
    /// In which queue it waits.
    pub queue: String,
    /// Before which others.
    pub priority: Priority,
    /// Not before that moment; at once where not given.
    pub due: Option<Timestamp>,
    /// Beside no other of this key.
    pub unique: Option<Unique>,
    /// The kind of job, for people who look into the queue.
    pub kind: String,
    /// What the worker reads.
    pub payload: Bytes,
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
#[derive(Debug, Clone, PartialEq, Eq)]
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
