//! The console's `queue:` commands, and `outbox:relay`.

mod batches;
mod check;
mod clear;
mod depths;
mod failed;
mod flush;
mod forget;
mod monitor;
mod outbox_relay;
mod pause;
mod prune;
mod restart;
mod resume;
mod retry;
mod stats;
mod work;

use std::{any::Any, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::{JobId, MemoryDriver, Queue};
use crate::{
    console::Console,
    support::{EnvValue, Timestamp},
};

/// How many failed jobs are looked at, or changed, at a time: together they may be more than there is memory.
const AT_ONCE: usize = 500;

/// What became of something that has a name.
#[derive(Serialize)]
struct Change<'a> {
    queue: &'a str,
    change: &'static str,
}

/// What became of a job that had failed.
#[derive(Serialize)]
struct JobChange {
    id: JobId,
    kind: String,
    change: &'static str,
}

const JOB_CHANGES: [(&str, &str); 3] = [("Id", "id"), ("Kind", "kind"), ("Change", "change")];

/// How many of something were deleted.
#[derive(Serialize)]
struct Deleted {
    deleted: u64,
}

/// Says how many were deleted.
fn report_deleted(console: &mut Console, what: &str, deleted: u64) -> anyhow::Result<()> {
    if console.is_json() {
        return Ok(console.value(&Deleted { deleted })?);
    }
    console.success(format!("{deleted} {what} deleted."));
    Ok(())
}

/// Whether jobs wait in the memory of this process.
fn is_here(queue: &Queue) -> bool {
    let driver: &dyn Any = &**queue.driver();
    driver.is::<MemoryDriver>()
}

/// Says of queues that are in the memory of a process that this one has others.
fn warn_of_memory(console: &mut Console, queue: &Queue) {
    if queue.is_sync() {
        console.warn("QUEUE_CONNECTION=sync: jobs run where they are dispatched, and none waits");
    } else if is_here(queue) {
        console
            .warn("QUEUE_CONNECTION=memory: jobs are in the memory of each process, and the server's are not reached");
    }
}

/// An argument that is written as the variables are.
fn as_variable<T: EnvValue>(text: &str) -> Result<T, String> {
    T::parse(text).ok_or_else(|| format!("expected {}", T::EXPECTED))
}

/// The moment so long before another.
fn before(moment: Timestamp, ago: Duration) -> Timestamp {
    let ago = TimeDelta::from_std(ago).unwrap_or(TimeDelta::MAX);
    moment.utc().checked_sub_signed(ago).unwrap_or(DateTime::<Utc>::MIN_UTC).into()
}

/// The moment so many hours before another.
fn hours_before(moment: Timestamp, hours: u32) -> Timestamp {
    before(moment, Duration::from_secs(u64::from(hours) * 3600))
}
