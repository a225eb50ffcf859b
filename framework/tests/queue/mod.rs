//! The queue: what every driver keeps, and what a worker makes of it.

mod batching;
mod broken;
mod causes;
mod commands;
mod compose;
mod database;
mod deaths;
mod forwards;
mod guard;
mod limits;
mod options;
#[cfg(unix)]
pub mod processes;
#[cfg(feature = "redis")]
mod redis;
mod refused;
mod shared_limits;
mod stalled;
mod status;
mod suite;
mod sync;
mod worker;

use std::{any::Any, sync::Arc, time::Duration};

use futures_util::future::{BoxFuture, FutureExt};
use paravel::{
    database::DbError,
    queue::{
        Beat, Driver, DriverError, Durability, JobId, MemoryDriver, Message, Orders, Outcome, Priority, Push, Pushed,
        Queue, QueueAdmin, Tended, Turn, Turned,
    },
    support::{FakeClock, Timestamp, WireFormat},
};
use parking_lot::Mutex;

use forwards::forwards;

/// Lets time pass.
pub type Lapse = Arc<dyn Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync>;

/// Lets time pass as where somebody looks after the workers all the while: who has not for long, does not know who is dead.
pub fn watched(
    driver: Arc<dyn Driver>,
    pass: impl Fn(Duration) -> BoxFuture<'static, ()> + Send + Sync + 'static,
) -> Lapse {
    let pass = Arc::new(pass);
    Arc::new(move |by| {
        let (driver, pass) = (Arc::clone(&driver), Arc::clone(&pass));
        async move {
            let mut left = by;
            while !left.is_zero() {
                driver.admin().workers().await.unwrap();
                let step = left.min(Duration::from_secs(5));
                pass(step).await;
                left -= step;
            }
        }
        .boxed()
    })
}

/// A driver of a test's own, and its time.
#[derive(Clone)]
pub struct Stand {
    pub driver: Arc<dyn Driver>,
    pub clock: Arc<FakeClock>,
    /// Pushes a message as part of a transaction.
    pub in_transaction: fn(&Queue, Message),
    /// Lets so much of the time pass that workers live by.
    pub lapse: Lapse,
    // What goes with the test, after the driver.
    pub _kept: Arc<dyn Any + Send + Sync>,
}

impl Stand {
    pub fn memory() -> Self {
        let clock = Arc::new(FakeClock::at(Timestamp::from_unix(1_700_000_000)));
        let driver = Arc::new(MemoryDriver::new(Arc::clone(&clock) as _));
        let lapse = watched(Arc::clone(&driver) as _, |by| tokio::time::advance(by).boxed());
        Self { driver, clock, in_transaction: |_, _| {}, lapse, _kept: Arc::new(()) }
    }

    pub fn queue(&self) -> Queue {
        Queue::new(Arc::clone(&self.driver), WireFormat::MessagePack, Arc::clone(&self.clock) as _)
    }

    /// Lets so much time pass, on every clock there is.
    pub async fn advance(&self, by: Duration) {
        self.clock.advance(by);
        (self.lapse)(by).await;
    }
}

/// A driver that keeps what it was told of claims that ended.
pub struct Told {
    inner: Arc<dyn Driver>,
    outcomes: Mutex<Vec<Outcome>>,
}

impl Told {
    /// Puts itself before a driver.
    pub fn before(stand: &mut Stand) -> Arc<Self> {
        let told = Arc::new(Self { inner: Arc::clone(&stand.driver), outcomes: Mutex::default() });
        stand.driver = Arc::clone(&told) as _;
        told
    }

    /// In how long jobs were to be tried again, as of now.
    pub fn retries(&self, now: Timestamp) -> Vec<Duration> {
        let outcomes = self.outcomes.lock();
        let retries = outcomes.iter().filter_map(|outcome| match outcome {
            Outcome::Retry { due, .. } => Some((due.utc() - now.utc()).to_std().unwrap_or_default()),
            _ => None,
        });
        retries.collect()
    }

    /// How often jobs went back.
    pub fn released(&self) -> usize {
        self.outcomes.lock().iter().filter(|outcome| matches!(outcome, Outcome::Release { .. })).count()
    }
}

impl Driver for Told {
    forwards!(inner: push, beat, tend, wait, durability, admin);

    fn turn<'a>(&'a self, turn: Turn<'a>) -> BoxFuture<'a, Result<Turned, DriverError>> {
        self.outcomes.lock().extend(turn.ends.iter().map(|end| end.outcome.clone()));
        self.inner.turn(turn)
    }
}

/// A message without a meaning.
pub fn message(queue: &str) -> Message {
    Message {
        id: JobId::new(),
        queue: queue.to_owned(),
        priority: Priority::Normal,
        due: None,
        delay: None,
        unique: None,
        batch: None,
        kind: "test".into(),
        payload: vec![0, 159, 146, 150, 10, 0, 255, 1].into(),
    }
}

/// What a closure that is to be rolled back returns.
pub fn undone() -> DbError {
    DbError::Closed
}

macro_rules! on_a_database {
    ($backend:ident, $connection:ty, $($test:ident,)*) => {
        mod $backend {
            $(#[tokio::test]
            async fn $test() {
                if let Some(stand) = super::database::stand::<$connection>().await {
                    super::suite::$test(stand).await;
                }
            })*
        }
    };
}

macro_rules! on_every_driver {
    ($($test:ident,)*) => {
        mod memory {
            $(#[tokio::test(start_paused = true)]
            async fn $test() {
                super::suite::$test(super::Stand::memory()).await;
            })*
        }

        #[cfg(feature = "redis")]
        mod on_redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                if let Some(stand) = super::redis::stand() {
                    super::suite::$test(stand).await;
                }
            })*
        }

        on_a_database!(sqlite, paravel::database::SqliteConn, $($test,)*);
        #[cfg(feature = "postgres")]
        on_a_database!(postgres, paravel::database::PgConn, $($test,)*);
        #[cfg(feature = "mysql")]
        on_a_database!(mysql, paravel::database::MysqlConn, $($test,)*);

        /// Each test of the suite, for drivers that must not pass all of them.
        pub const SUITE: &[(&str, broken::Test)] = &[
            $((stringify!($test), |stand| Box::pin(suite::$test(stand))),)*
        ];
    };
}

on_every_driver! {
    what_is_pushed_is_claimed_once_and_in_order,
    of_many_who_claim_each_message_goes_to_one,
    what_is_done_is_gone,
    an_older_claim_changes_nothing,
    what_the_dead_had_is_claimed_again_and_what_the_living_have_is_not,
    who_leaves_puts_back_what_they_had,
    a_clock_that_jumps_takes_no_job_from_its_worker,
    what_is_due_later_waits_for_its_moment,
    an_attempt_counts_and_a_release_does_not,
    what_failed_is_kept_and_can_be_tried_again,
    a_unique_key_keeps_others_out,
    a_cleared_queue_keeps_what_runs,
    who_waits_hears_of_what_is_pushed,
    a_transactions_jobs_wait_for_its_commit,
    what_follows_comes_with_the_end,
    a_batch_that_is_pushed_once_more_is_left_as_it_is,
    a_batch_is_done_with_its_last_member,
    a_failure_cancels_a_batch_unless_it_allows_failures,
    a_batch_may_be_cancelled_cleared_and_pruned,
    a_batch_in_a_batch_is_one_member,
    a_member_that_is_tried_again_joins_its_batch_again,
    of_failed_members_one_can_be_tried_again,
    a_batch_that_goes_on_again_is_a_member_again,
    what_is_tried_again_is_due_from_then_on,
    a_paused_queue_gives_out_nothing,
    workers_hear_orders_and_are_known_while_they_live,
    what_is_stored_can_be_looked_at,
    what_failed_is_pruned_and_keeps_out_of_the_way_of_its_key,
}
