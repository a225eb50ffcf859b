//! The schedule: what an application runs by itself, and when.
//!
//! `routes/console.rs` says it, by a [`Schedule`]: commands and functions, each with the times at which it is due. A [`Scheduler`]
//! runs them: `schedule:work` stays and does so, `schedule:run` does what is due this minute and is for a system's own cron.
//!
//! # What holds
//!
//! - **What is wrong is said at start**: an expression, a time or a zone that is none, a command that there is not, a service that
//!   nothing is bound to. All of it together.
//! - **A time of day comes once a day**, whatever the clocks do for daylight saving, and an interval goes by real time.
//! - **No task holds up another.** Each run is a task of its own, in a scope of its own; one that fails or panics is logged by its name.
//! - **One server runs it** where that is asked for: of all schedulers over one [`ScheduleStore`], one takes each time at which a task
//!   is due. Where that cannot be found out, nobody runs it.
//! - **A task does not overlap itself** where that is asked for, however long it takes, and one whose process died is free again
//!   soon.
//! - **What was missed is made up for as the task says** ([`Missed`]), and by default not.

mod calendar;
mod commands;
mod crew;
mod entry;
mod error;
mod fence;
mod fields;
mod frequency;
mod function;
mod lease;
mod missed;
mod outcome;
mod run;
#[expect(clippy::module_inception, reason = "it is called as what it holds")]
mod schedule;
mod scheduler;
mod store;
mod task;
mod tasks;
mod timeline;
mod weekday;
mod window;
mod words;

pub use entry::{TaskInfo, TaskKind};
pub use error::ScheduleError;
pub use fence::{CacheFence, Claim, DatabaseFence, Fence, FenceError};
pub use function::{TaskFn, TaskOutput};
pub use missed::Missed;
pub use outcome::{Outcome, Ran, Skip, TaskFailed, WorkReport};
pub use schedule::Schedule;
pub use scheduler::Scheduler;
pub use store::ScheduleStore;
pub use task::Task;
pub use tasks::Tasks;
pub use weekday::Weekday;
