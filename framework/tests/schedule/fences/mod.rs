//! Who runs what, wherever that is kept: one suite, run on each fence.

mod down;
#[cfg(unix)]
pub mod kills;
mod suite;

use std::{any::Any, sync::Arc};

use futures_util::future::BoxFuture;
use paravel::{
    cache::{Cache, DatabaseStore},
    config::{CacheConfig, DatabaseConfig},
    database::{Connection, DatabaseAdmin, Db, Migrator, Statement, TOOLKIT_MIGRATIONS},
    schedule::{CacheFence, DatabaseFence, Fence, ScheduleStore},
    support::{Env, SystemClock},
    testing::TestDatabase,
};

use crate::cache::stores::stand;

/// What schedulers share.
pub struct Stand {
    /// Each as another process would have it.
    make: Box<dyn Fn() -> ScheduleStore + Send + Sync>,
    pub fence: Arc<dyn Fence>,
    /// How many runs a database keeps.
    rows: Option<Box<dyn Fn() -> BoxFuture<'static, i64> + Send + Sync>>,
    // What goes with the test.
    _kept: Box<dyn Any + Send + Sync>,
}

impl Stand {
    pub fn store(&self) -> Arc<ScheduleStore> {
        Arc::new((self.make)())
    }
}

async fn database<C: Connection>() -> Option<Stand> {
    let own = TestDatabase::create(C::BACKEND).unwrap()?;
    let env = Env::from_pairs([("DATABASE_URL", own.url())]);
    let db = Arc::new(Db::<C>::new(DatabaseConfig::from_env(&env)).unwrap());
    Migrator::new(Arc::clone(&db) as _, Arc::new(SystemClock), TOOLKIT_MIGRATIONS).migrate().await.unwrap();
    let (one, config) = (Arc::clone(&db), CacheConfig::from_env(&env));
    let make = move || {
        let store = Arc::new(DatabaseStore::new(Arc::clone(&one), Arc::new(SystemClock)));
        let locks = Cache::distant("schedule", &config, store, Arc::new(SystemClock));
        ScheduleStore::new(Arc::new(DatabaseFence::new(Arc::clone(&one))), locks)
    };
    let fence = Arc::new(DatabaseFence::new(Arc::clone(&db)));
    let other = Arc::clone(&db);
    let rows = move || -> BoxFuture<'static, i64> {
        let db = Arc::clone(&other);
        Box::pin(async move {
            let rows = db.fetch(Statement::new("select count(*) as n from schedule_runs")).await.unwrap();
            rows[0].integer("n")
        })
    };
    // The database is closed before it is deleted.
    Some(Stand { make: Box::new(make), fence, rows: Some(Box::new(rows)), _kept: Box::new((db, own)) })
}

async fn cache(stand: Option<stand::Stand>) -> Option<Stand> {
    let stand = Arc::new(stand?);
    let (kept, own, others) = (Arc::clone(&stand), stand.cache().await, stand.cache().await);
    let cache = if stand.store.is_none() { own.clone() } else { others };
    let make = move || {
        let cache = cache.clone();
        ScheduleStore::new(Arc::new(CacheFence::new(cache.clone())), cache)
    };
    let fence = Arc::new(CacheFence::new(own));
    Some(Stand { make: Box::new(make), fence, rows: None, _kept: Box::new(kept) })
}

/// The tests of these names on each fence.
macro_rules! on_every_fence {
    ($($test:ident,)*) => {
        on_every_fence!(@ memory, super::cache(super::stand::memory().await), $($test,)*);
        #[cfg(feature = "redis")]
        on_every_fence!(@ redis, super::cache(super::stand::redis().await), $($test,)*);
        #[cfg(feature = "redis")]
        on_every_fence!(@ tiered, super::cache(super::stand::tiered().await), $($test,)*);
        #[cfg(feature = "sqlite")]
        on_every_fence!(@ sqlite, super::database::<paravel::database::SqliteConn>(), $($test,)*);
        #[cfg(feature = "postgres")]
        on_every_fence!(@ postgres, super::database::<paravel::database::PgConn>(), $($test,)*);
        #[cfg(feature = "mysql")]
        on_every_fence!(@ mysql, super::database::<paravel::database::MysqlConn>(), $($test,)*);
    };
    (@ $fence:ident, $stand:expr, $($test:ident,)*) => {
        mod $fence {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                if let Some(stand) = $stand.await {
                    super::suite::$test(stand).await;
                }
            })*
        }
    };
}

on_every_fence! {
    one_of_many_takes_a_run,
    what_is_known_of_a_task_is_its_latest_time,
    names_are_told_apart_whatever_they_are,
    a_run_is_known_for_a_day_and_the_last_one_for_longer,
    of_several_schedulers_one_runs_what_is_due,
    a_task_that_runs_elsewhere_is_not_begun,
}
