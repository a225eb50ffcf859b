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

mod admin;
mod aside;
mod attempt;
mod batch;
mod commands;
mod compose;
mod database;
mod dispatch;
mod driver;
mod drivers;
mod envelope;
mod error;
mod failure;
#[cfg(feature = "testing")]
mod fake;
mod gauge;
mod guard;
mod handle;
mod inspect;
mod job;
mod jobs;
mod memory;
mod message;
mod middleware;
mod options;
mod pushing;
#[cfg(feature = "redis")]
mod redis;
mod run;
mod status;
mod sync;
mod transactional;
mod view;
mod worker;

pub use admin::{Batches, Depth, FailedJob, FailedJobs, Order, Peeked, QueueAdmin};
pub(crate) use aside::Aside;
pub use attempt::JobFailed;
pub use batch::{BatchEnd, BatchId, BatchNews, BatchRecord, BatchStatus, NewBatch, PartOf};
pub use compose::{Batch, Chain};
pub use database::{DatabaseDriver, Inbox, InboxPruner, Outbox, Relay};
pub use dispatch::Dispatch;
pub use driver::{
    Beat, Claimed, Driver, DriverError, Durability, Orders, Outcome, Pushed, Receipt, Settled, Settlement, Tended,
    Turn, Turned,
};
pub use drivers::{DatabaseQueue, Drivers, MissingDriver};
pub use envelope::Body;
pub use error::QueueError;
#[cfg(feature = "testing")]
pub use fake::QueueFake;
pub use gauge::QueueGauge;
pub use guard::{Concurrency, RateLimit};
pub use handle::Queue;
pub(crate) use job::unreadable;
pub use job::{Backoff, Job, JobEntry, UniqueKey};
pub use jobs::Jobs;
pub use memory::MemoryDriver;
pub use message::{JobId, Message, Priority, Push, Unique, UniqueUntil};
pub use middleware::{JobMiddleware, JobNext};
pub use options::JobOptions;
#[cfg(feature = "redis")]
pub use redis::RedisDriver;
pub use run::JobRun;
pub use status::{AttemptStats, WorkerStatus};
pub use transactional::Transactional;
pub use worker::{WhyEnded, Worker, WorkerLimits, WorkerReport};
