use serde::{Deserialize, Serialize};

use super::Push;
use crate::support::{Id, Timestamp};

/// The key of a batch.
pub type BatchId = Id<NewBatch>;

/// A batch as it begins: so many members, and what comes when they have ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewBatch {
    /// Its key.
    pub id: BatchId,
    /// What people know it by.
    pub name: String,
    /// How many members it begins with.
    pub total: u64,
    /// Whether it goes on when a member fails; else that cancels it.
    pub allows_failures: bool,
    /// Of which batch it is itself a member.
    pub part_of: Option<PartOf>,
    /// What is pushed when all members are done.
    pub then: Push,
    /// What is pushed when the first member has failed.
    pub catch: Push,
    /// What is pushed when all members have ended, however they have.
    pub finally: Push,
}

/// The batch that a batch is a member of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartOf {
    /// Which.
    pub batch: BatchId,
    /// Whether what comes when it is done is a member in its place, the rest of a chain, so that only its failure is an end.
    pub goes_on: bool,
}

/// How a member of a batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchEnd {
    /// It is done.
    Done,
    /// It has failed for good.
    Failed,
    /// It was not run.
    Cancelled,
}

/// How far a batch has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BatchStatus {
    /// Its key.
    pub id: BatchId,
    /// What people know it by.
    pub name: String,
    /// How many members it has.
    pub total: u64,
    /// How many of them have not ended.
    pub pending: u64,
    /// How many have failed.
    pub failed: u64,
    /// How many were not run, since it was cancelled or their queue cleared.
    pub cancelled: u64,
    /// Since when it is cancelled, where it is.
    pub cancelled_at: Option<Timestamp>,
    /// When its last member ended, where it has.
    pub finished_at: Option<Timestamp>,
}

impl BatchStatus {
    /// How much of it has ended, from 0 to 1.
    pub fn progress(&self) -> f64 {
        if self.total == 0 {
            return 1.0;
        }
        #[expect(clippy::cast_precision_loss, reason = "a share of some members")]
        let done = self.total.saturating_sub(self.pending) as f64 / self.total as f64;
        done
    }
}

/// A batch as a driver keeps it, and what each end of a member makes of it. Drivers that read a batch, change it and write it back
/// in one step have the rules here; one that changes it where it is stored has them in its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchRecord {
    /// As it began, without what was pushed since.
    pub batch: NewBatch,
    /// How far it has come.
    pub status: BatchStatus,
}

/// What follows from the end of a member.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatchNews {
    /// What is to be pushed now.
    pub push: Push,
    /// What it is for the batch that this one is a member of.
    pub outer: Option<(BatchId, BatchEnd)>,
}

impl BatchRecord {
    /// A batch that begins.
    pub fn new(batch: NewBatch) -> Self {
        let status = BatchStatus {
            id: batch.id,
            name: batch.name.clone(),
            total: batch.total,
            pending: batch.total,
            failed: 0,
            cancelled: 0,
            cancelled_at: None,
            finished_at: None,
        };
        Self { batch, status }
    }

    /// It has so many members more.
    pub fn grow(&mut self, members: u64) {
        if self.status.finished_at.is_none() {
            self.status.total += members;
            self.status.pending += members;
        }
    }

    /// A member has ended.
    pub fn end(&mut self, end: BatchEnd, now: Timestamp) -> BatchNews {
        let mut news = BatchNews::default();
        if self.status.finished_at.is_some() {
            return news;
        }
        self.status.pending = self.status.pending.saturating_sub(1);
        self.status.cancelled += u64::from(end == BatchEnd::Cancelled);
        if end == BatchEnd::Failed {
            self.status.failed += 1;
            news.push.extend(std::mem::take(&mut self.batch.catch));
            if !self.batch.allows_failures {
                self.status.cancelled_at.get_or_insert(now);
            }
        }
        if self.status.pending == 0 {
            self.status.finished_at = Some(now);
            let ended = self.ended();
            if ended == BatchEnd::Done {
                news.push.extend(std::mem::take(&mut self.batch.then));
            }
            news.push.extend(std::mem::take(&mut self.batch.finally));
            news.outer = self.told(ended);
        }
        news
    }

    /// How it has ended: done is only what has left no member out.
    fn ended(&self) -> BatchEnd {
        let BatchStatus { failed, cancelled, cancelled_at, .. } = &self.status;
        match (failed, cancelled, cancelled_at) {
            (_, 0, None) => BatchEnd::Done,
            (0, ..) => BatchEnd::Cancelled,
            _ => BatchEnd::Failed,
        }
    }

    /// What such an end is for the batch that it is a member of.
    fn told(&self, ended: BatchEnd) -> Option<(BatchId, BatchEnd)> {
        let outer = self.batch.part_of.filter(|part| ended != BatchEnd::Done || !part.goes_on);
        outer.map(|part| (part.batch, ended))
    }

    /// It is not to go on; whether it could have.
    pub fn cancel(&mut self, now: Timestamp) -> bool {
        let goes_on = self.status.finished_at.is_none() && self.status.cancelled_at.is_none();
        if goes_on {
            self.status.cancelled_at = Some(now);
        }
        goes_on
    }

    /// A member that had ended like this runs again, and so the batch goes on, cancelled though it was. Where it had ended itself, it
    /// is such a member of the batch that is returned.
    pub fn rejoin(&mut self, had: BatchEnd) -> Option<(BatchId, BatchEnd)> {
        let outer = self.status.finished_at.and_then(|_| self.told(self.ended()));
        let status = &mut self.status;
        match had {
            BatchEnd::Done => {}
            BatchEnd::Failed => status.failed = status.failed.saturating_sub(1),
            BatchEnd::Cancelled => status.cancelled = status.cancelled.saturating_sub(1),
        }
        status.pending += 1;
        (status.finished_at, status.cancelled_at) = (None, None);
        outer
    }
}
