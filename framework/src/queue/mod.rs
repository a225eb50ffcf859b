//! The queue: jobs that are done later, elsewhere, and again until they work.
//!
//! A [`Job`] is dispatched into a queue, where a [`Driver`] keeps it; a [`Worker`] claims it, runs it and says how it ended.
//!
//! # What holds
//!
//! - **At least once.** What [`Queue::dispatch`] has taken runs until it is done or has failed for good, as far as the driver's
//!   [`Durability`] goes.
//! - **One at a time.** A worker that has lost a job, because it was taken for dead, can no longer change what becomes of it.
//! - **A transaction's jobs wait for its commit**, and are never dispatched where it is rolled back.
//! - **A worker that is stopped loses nothing**: what does not end within its grace goes back, and that was no attempt.
//! - **A job that cannot be read, or whose worker dies again and again, is put aside**; one whose kind is not known here is left to
//!   other workers.

mod attempt;
mod driver;
mod envelope;
mod error;
mod handle;
mod job;
mod jobs;
mod memory;
mod message;
mod run;
mod worker;

pub use attempt::JobFailed;
pub use driver::{
    Claim, Claimed, Depth, Driver, DriverError, Durability, FailedJob, FailedJobs, Outcome, Pushed, Settled,
    Settlement, Tended, Token,
};
pub use envelope::Body;
pub use error::QueueError;
pub use handle::{Dispatch, Queue};
pub use job::{Backoff, Job, JobEntry, UniqueKey};
pub use jobs::Jobs;
pub use memory::MemoryDriver;
pub use message::{JobId, Message, Priority, Unique, UniqueUntil};
pub use run::JobRun;
pub use worker::{Worker, WorkerReport};
