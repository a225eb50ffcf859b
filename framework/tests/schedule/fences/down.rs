//! A fence or a lock that cannot be asked.

use std::{sync::Arc, time::Duration};

use paravel::{
    cache::{Cache, DatabaseStore},
    config::{CacheConfig, DatabaseConfig},
    console::Stops,
    database::{Connection, Db, Migrator, SqliteConn, Statement, TOOLKIT_MIGRATIONS},
    schedule::{CacheFence, DatabaseFence, Missed, Outcome, ScheduleStore},
    support::{Env, FakeClock, SystemClock},
    testing::TestDatabase,
};

use super::super::{Moving, Seen, Stand, at};

#[tokio::test]
async fn what_cannot_be_agreed_on_is_not_run_and_the_rest_is() {
    let own = TestDatabase::create("sqlite").unwrap().unwrap();
    let env = Env::from_pairs([("DATABASE_URL", own.url())]);
    let db = Arc::new(Db::<SqliteConn>::new(DatabaseConfig::from_env(&env)).unwrap());
    // Its tables were never made.
    let locks = Arc::new(DatabaseStore::new(Arc::clone(&db), Arc::new(SystemClock)));
    let locks = Cache::distant("schedule", &CacheConfig::from_env(&env), locks, Arc::new(SystemClock));
    let in_database = ScheduleStore::new(Arc::new(DatabaseFence::new(db)), locks.clone());
    let in_cache = ScheduleStore::new(Arc::new(CacheFence::new(locks.clone())), locks);
    for store in [in_database, in_cache] {
        let seen = Seen::default();
        let clock = Arc::new(FakeClock::at(at("2026-01-01T12:00:00Z")));
        let stand = Stand::new(clock, &Arc::new(store), |schedule| {
            schedule.call("on one server", seen.says("on one server")).every_minute().on_one_server();
            schedule.call("made up for", seen.says("made up for")).every_minute().missed(Missed::Once);
            schedule.call("alone", seen.says("alone")).every_minute().without_overlapping();
            schedule.call("plain", seen.says("plain")).every_minute();
        });
        let all = stand.scheduler.run(&stand.app, Stops::never()).await;
        let why = all.iter().map(|ran| match &ran.outcome {
            Outcome::Failed { error } => error.split_inclusive(": ").take(2).collect(),
            other => format!("{other:?}"),
        });
        let fence = "it was not run: whether the run was taken elsewhere cannot be found out: ";
        let lock = "it was not run: the cache `schedule` could not take a lock: ";
        assert_eq!(why.collect::<Vec<_>>(), [fence, fence, lock, "Done"]);
        assert_eq!(seen.all(), ["plain"]);
        assert_eq!(stand.raised.0.lock().len(), 3);
    }
}

/// Long enough for any machine; what is waited for comes in about five seconds.
const PATIENCE: Duration = Duration::from_secs(120);

async fn until(what: &str, holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("{what}"));
}

#[tokio::test]
async fn what_became_due_while_the_store_was_down_is_made_up_for_once_it_is_back() {
    let own = TestDatabase::create("sqlite").unwrap().unwrap();
    let env = Env::from_pairs([("DATABASE_URL", own.url())]);
    let db = Arc::new(Db::<SqliteConn>::new(DatabaseConfig::from_env(&env)).unwrap());
    Migrator::new(Arc::clone(&db) as _, Arc::new(SystemClock), TOOLKIT_MIGRATIONS).migrate().await.unwrap();
    let fence = Arc::new(DatabaseFence::new(Arc::clone(&db)));
    let store = Arc::new(ScheduleStore::new(fence, Cache::memory("default", 1 << 20)));
    let rename = async |from: &'static str, to: &'static str| {
        db.write(async move |c| c.run(&Statement::new(format!("alter table {from} rename to {to}"))).await)
            .await
            .unwrap();
    };
    let seen = Seen::default();
    let clock = Moving::at("2026-01-01T11:59:57Z");
    let stand = || {
        Stand::new(Arc::clone(&clock) as _, &store, |schedule| {
            for (name, missed) in
                [("once", Missed::Once), ("each", Missed::Each { at_most: 9 }), ("skip", Missed::Skip)]
            {
                schedule.call(name, seen.says(name)).hourly().on_one_server().missed(missed);
            }
        })
    };
    let count = || ["once", "each", "skip"].map(|name| seen.count(name));
    // It goes down while a scheduler runs, and is down when something is due.
    let first = stand();
    let working = first.work();
    tokio::time::sleep(Duration::from_secs(1)).await;
    rename("schedule_runs", "away").await;
    let raised = Arc::clone(&first.raised);
    until("all three fail", || raised.0.lock().len() == 3).await;
    assert_eq!(count(), [0, 0, 0]);
    rename("away", "schedule_runs").await;
    until("those that make up for it do", || count() == [1, 1, 0]).await;
    let report = working.stop().await;
    assert_eq!((report.done, report.failed), (2, 3));
    // It is down when a scheduler begins: three times were missed.
    clock.set("2026-01-01T15:30:00Z");
    rename("schedule_runs", "away").await;
    let working = stand().work();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(count(), [1, 1, 0]);
    // Another one becomes due meanwhile, which is not to make those before be forgotten.
    clock.set("2026-01-01T16:00:00Z");
    rename("away", "schedule_runs").await;
    until("all four are made up for", || count()[0] >= 2 && count()[1] == 5).await;
    working.stop().await;
}
