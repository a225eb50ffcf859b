//! The queue: what every driver keeps, and what a worker makes of it.

mod broken;
mod suite;
mod worker;

use std::{sync::Arc, time::Duration};

use paravel::{
    config::QueueFormat,
    database::DbError,
    queue::{Driver, JobId, MemoryDriver, Message, Priority, Queue},
    support::{FakeClock, Timestamp},
};

/// A driver of a test's own, and its time.
#[derive(Clone)]
pub struct Stand {
    pub driver: Arc<dyn Driver>,
    pub clock: Arc<FakeClock>,
    /// Pushes a message as part of a transaction.
    pub in_transaction: fn(&Queue, Message),
}

impl Stand {
    pub fn memory() -> Self {
        let clock = Arc::new(FakeClock::at(Timestamp::from_unix(1_700_000_000)));
        Self { driver: Arc::new(MemoryDriver::new(Arc::clone(&clock) as _)), clock, in_transaction: |_, _| {} }
    }

    pub fn queue(&self) -> Queue {
        Queue::new(Arc::clone(&self.driver), QueueFormat::MessagePack, Arc::clone(&self.clock) as _)
    }

    /// Lets so much time pass, on every clock there is.
    pub async fn advance(&self, by: Duration) {
        self.clock.advance(by);
        tokio::time::advance(by).await;
    }
}

/// A message without a meaning.
pub fn message(queue: &str) -> Message {
    Message {
        id: JobId::new(),
        queue: queue.to_owned(),
        priority: Priority::Normal,
        due: None,
        unique: None,
        kind: "test".to_owned(),
        payload: vec![0, 159, 146, 150, 10].into(),
    }
}

/// What a closure that is to be rolled back returns.
pub fn undone() -> DbError {
    DbError::Closed
}

macro_rules! on_every_driver {
    ($($test:ident,)*) => {
        mod memory {
            $(#[tokio::test(start_paused = true)]
            async fn $test() {
                super::suite::$test(super::Stand::memory()).await;
            })*
        }

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
    what_is_due_later_waits_for_its_moment,
    an_attempt_counts_and_a_release_does_not,
    what_failed_is_kept_and_can_be_tried_again,
    a_unique_key_keeps_others_out,
    a_cleared_queue_keeps_what_runs,
    who_waits_hears_of_what_is_pushed,
    a_transactions_jobs_wait_for_its_commit,
}
