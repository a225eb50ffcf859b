//! What holds of the queues in a database beside what holds of all.

#[cfg(any(feature = "postgres", feature = "mysql"))]
mod answers;
mod failures;
mod once;
mod outbox;
mod within;

use std::{
    any::Any,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::{FutureExt, ready};
use paravel::{
    config::DatabaseConfig,
    database::{Connection, Db, DbError, Migrator, Statement, TOOLKIT_MIGRATIONS},
    queue::{DatabaseDriver, Queue, QueueAdmin},
    support::{Clock, Env, FakeClock, SystemClock, Timestamp, WireFormat},
    testing::TestDatabase,
};
use parking_lot::Mutex;

use super::{Stand, watched};

/// A database of a test's own with the toolkit's tables; `None` where there is no server for it.
pub async fn database<C: Connection>() -> Option<(Arc<Db<C>>, Arc<dyn Any + Send + Sync>)> {
    let own = TestDatabase::create(C::BACKEND).unwrap()?;
    let db = Arc::new(Db::<C>::new(DatabaseConfig::from_env(&Env::from_pairs([("DATABASE_URL", own.url())]))).unwrap());
    migrate(&db).await;
    Some((Arc::clone(&db), Arc::new((db, own))))
}

/// Makes the toolkit's tables.
async fn migrate<C: Connection>(db: &Arc<Db<C>>) {
    Migrator::new(Arc::clone(db) as _, Arc::new(SystemClock), TOOLKIT_MIGRATIONS).migrate().await.unwrap();
}

/// A driver as a process has it, which time passes for as `passed` says.
pub fn driver<C: Connection>(
    db: &Arc<Db<C>>,
    clock: &Arc<FakeClock>,
    passed: &Arc<Mutex<Duration>>,
) -> DatabaseDriver<C> {
    let (began, passed) = (Instant::now(), Arc::clone(passed));
    let clock: Arc<dyn Clock> = Arc::clone(clock) as _;
    DatabaseDriver::timed_by(Arc::clone(db), clock, move || began + *passed.lock())
}

/// Its queues as the suite's.
pub async fn stand<C: Connection>() -> Option<Stand> {
    let (db, kept) = database::<C>().await?;
    let clock = Arc::new(FakeClock::at(Timestamp::from_unix(1_700_000_000)));
    let passed = Arc::<Mutex<Duration>>::default();
    let driver = Arc::new(driver(&db, &clock, &passed));
    let lapse = watched(Arc::clone(&driver) as _, move |by| {
        *passed.lock() += by;
        ready(()).boxed()
    });
    Some(Stand { driver, clock, in_transaction: |_, _| {}, lapse, _kept: kept })
}

/// The same database as another process has it.
pub fn elsewhere<C: Connection>(db: &Db<C>) -> Arc<Db<C>> {
    Arc::new(Db::new(db.config().clone()).unwrap())
}

pub async fn run<C: Connection>(db: &Db<C>, sql: &str) {
    let statement = Statement::new(sql);
    db.write(async move |c| Ok::<_, DbError>(c.run(&statement).await?)).await.unwrap();
}

pub async fn number<C: Connection>(db: &Db<C>, sql: &str) -> i64 {
    let query = Statement::new(sql);
    db.read(async move |c| Ok::<_, DbError>(c.fetch(&query).await?)).await.unwrap()[0].integer("n")
}

/// The tests of these names on each backend.
macro_rules! on_every_database {
    ($($module:ident::$test:ident,)*) => {
        on_every_database!(sqlite, paravel::database::SqliteConn, $($module::$test,)*);
        #[cfg(feature = "postgres")]
        on_every_database!(postgres, paravel::database::PgConn, $($module::$test,)*);
        #[cfg(feature = "mysql")]
        on_every_database!(mysql, paravel::database::MysqlConn, $($module::$test,)*);
    };
    ($backend:ident, $connection:ty, $($module:ident::$test:ident,)*) => {
        mod $backend {
            $(#[tokio::test]
            async fn $test() {
                if let Some(own) = super::Own::<$connection>::new().await {
                    super::$module::$test(own).await;
                }
            })*
        }
    };
}

/// A database of a test's own, the queues in it, and their time.
pub struct Own<C: Connection> {
    pub db: Arc<Db<C>>,
    pub driver: Arc<DatabaseDriver<C>>,
    pub clock: Arc<FakeClock>,
    pub passed: Arc<Mutex<Duration>>,
    _kept: Arc<dyn Any + Send + Sync>,
}

impl<C: Connection> Own<C> {
    pub async fn new() -> Option<Self> {
        let (db, kept) = database::<C>().await?;
        let (clock, passed) = (Arc::new(FakeClock::at(Timestamp::now())), Arc::default());
        let driver = Arc::new(driver(&db, &clock, &passed));
        Some(Self { db, driver, clock, passed, _kept: kept })
    }

    /// The queues as another process has them.
    pub fn other(&self) -> DatabaseDriver<C> {
        driver(&elsewhere(&self.db), &self.clock, &self.passed)
    }

    /// Lets time pass in which these look after the workers.
    pub async fn lapse(&self, watching: &[&DatabaseDriver<C>], by: Duration) {
        let mut left = by;
        while !left.is_zero() {
            for driver in watching {
                driver.workers().await.unwrap();
            }
            let step = left.min(Duration::from_secs(5));
            self.advance(step);
            left -= step;
        }
    }

    /// Lets time pass in which nobody does anything.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
        *self.passed.lock() += by;
    }

    /// The queue of an application that has it here.
    pub fn queue(&self) -> Queue {
        let queue = Queue::new(Arc::clone(&self.driver) as _, WireFormat::MessagePack, Arc::clone(&self.clock) as _);
        queue.within(Arc::clone(&self.driver) as _)
    }
}

on_every_database! {
    failures::a_row_that_cannot_be_read_blocks_no_others,
    failures::a_member_that_cannot_be_read_has_ended_for_its_batch_and_its_key,
    failures::two_processes_claim_each_row_once,
    failures::only_who_is_silent_for_long_is_dead_whatever_the_clocks_say,
    failures::after_a_time_in_which_nobody_could_look_the_living_keep_their_jobs,
    failures::a_stale_worker_of_another_process_changes_nothing,
    failures::long_jobs_do_not_hide_what_the_dead_have_left,
    failures::more_than_a_page_that_is_due_at_one_moment_all_becomes_ready,
    failures::what_is_due_is_found_without_sorting_all_that_is,
    failures::numbers_beyond_32_bits_are_kept,
    failures::a_word_that_is_lost_leaves_no_idle_queue,
    failures::another_process_hears_of_what_is_pushed,
    failures::a_push_that_is_cut_off_holds_up_no_other,
    failures::a_worker_lives_though_its_jobs_have_all_connections,
    within::what_is_dispatched_in_a_transaction_is_a_part_of_it,
    within::a_savepoint_that_is_rolled_back_takes_its_jobs_along,
    within::a_key_is_not_taken_by_a_transaction_that_is_rolled_back,
    within::what_is_dispatched_in_another_databases_transaction_waits_for_it,
    within::a_push_of_its_own_inside_a_closure_is_refused,
    once::a_job_ends_with_its_own_transaction,
    once::a_job_whose_transaction_is_rolled_back_is_tried_again,
    once::a_job_that_was_given_away_cannot_end_in_its_transaction,
    once::what_follows_a_job_comes_with_its_transaction,
    outbox::what_is_pushed_elsewhere_comes_with_the_commit,
    outbox::what_could_not_be_relayed_is_relayed_later,
    outbox::two_who_relay_push_nothing_twice,
    outbox::what_a_queue_refuses_is_in_nobodys_way,
    outbox::what_is_large_is_relayed_in_parts_and_goes_on_where_it_was,
    outbox::an_idle_outbox_is_only_read,
    outbox::what_was_left_is_relayed_some_at_a_time,
    outbox::a_consumer_has_everything_once,
}
