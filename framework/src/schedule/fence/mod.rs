//! Who runs what: of all schedulers over one fence, one takes each time at which a task is due.

mod cache;
mod database;

use futures_util::future::BoxFuture;

pub use cache::CacheFence;
pub use database::DatabaseFence;

use crate::support::{BoxError, Timestamp};

/// How long it is known that a run was taken: a clock that is put back by less makes nobody run it again.
pub(super) const KEPT: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

/// Keeps which runs have been taken, for all schedulers of an application.
pub trait Fence: Send + Sync + 'static {
    /// Takes a run, where nobody has; whether it is this claim's. The same claim may be made again, after an error.
    fn claim<'a>(&'a self, claim: Claim<'a>) -> BoxFuture<'a, Result<bool, FenceError>>;

    /// Up to when it is known what became of a task: the latest time that was claimed or noted. Where none was, `now` is noted,
    /// and returned.
    fn known_until<'a>(&'a self, task: &'a str, now: Timestamp) -> BoxFuture<'a, Result<Timestamp, FenceError>>;

    /// Notes that what was due up to then has been seen to, without taking any run.
    fn note<'a>(&'a self, task: &'a str, until: Timestamp) -> BoxFuture<'a, Result<(), FenceError>>;
}

/// A run that somebody wants to take.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// The task's name, of up to 255 characters.
    pub task: &'a str,
    /// When it was due, to the second.
    pub due: Timestamp,
    /// Who asks. Another claim has another name.
    pub by: &'a str,
}

/// Nobody can say who runs what.
#[derive(Debug, thiserror::Error)]
#[error("whether the run was taken elsewhere cannot be found out: {0}")]
pub struct FenceError(#[source] BoxError);

impl FenceError {
    /// For this reason.
    pub fn new(error: impl Into<BoxError>) -> Self {
        Self(error.into())
    }
}
