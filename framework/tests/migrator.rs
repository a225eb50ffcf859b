//! The migrator: what it shows before it acts, what it takes back, what it does where a run was broken off, and that
//! several of them end well.

use std::sync::Arc;

use paravel::{
    database::{DatabaseAdmin, DatabaseInternals, Db, Migration, MigrationError, Migrator, SqliteConn, Statement},
    support::{FakeClock, Timestamp},
};

use crate::{
    database::empty,
    migrations::{ALL, BOTH, FIRST, migrator, state, states, table, tables},
};

#[tokio::test]
async fn to_pretend_shows_the_scripts_and_changes_nothing() {
    let db = empty(&[]);
    let migrator = migrator(&db, BOTH);
    let pending = migrator.pretend().await.unwrap();
    let pending: Vec<_> = pending.iter().map(|one| (one.name, one.sql)).collect();
    assert_eq!(pending, [("1_a", "create table a (n)"), ("2_b", "create table b (n)")]);
    assert_eq!(states(&migrator).await[0], state("1_a", "pending", None));
    assert!(db.tables().await.unwrap().is_empty(), "not even the table of migrations is there");
    migrator.migrate().await.unwrap();
    assert!(migrator.pretend().await.unwrap().is_empty());
}

#[tokio::test]
async fn to_pretend_refuses_what_migrate_would() {
    static EDITED: &[Migration] = &[table("1_a", "create table a (n, m)", "drop table a")];
    let db = empty(&[]);
    migrator(&db, FIRST).migrate().await.unwrap();
    let error = migrator(&db, EDITED).pretend().await.unwrap_err();
    assert!(matches!(error, MigrationError::Edited { .. }), "{error}");
}

#[tokio::test]
async fn stepwise_each_migration_is_a_batch() {
    let db = empty(&[]);
    let migrator = migrator(&db, ALL);
    assert_eq!(migrator.migrate_stepwise().await.unwrap(), ["1_a", "2_b", "3_c"]);
    let batches: Vec<_> = states(&migrator).await.into_iter().map(|(_, _, batch)| batch).collect();
    assert_eq!(batches, [Some(1), Some(2), Some(3)]);
    assert_eq!(migrator.rollback(1).await.unwrap(), ["3_c"]);
    assert_eq!(tables(&db).await, ["a", "b"]);
}

#[tokio::test]
async fn migrations_are_taken_back_by_number_whatever_their_batches() {
    let db = empty(&[]);
    migrator(&db, FIRST).migrate().await.unwrap();
    let migrator = migrator(&db, ALL);
    migrator.migrate().await.unwrap();
    assert_eq!(migrator.rollback_steps(1).await.unwrap(), ["3_c"]);
    assert_eq!(migrator.rollback_steps(5).await.unwrap(), ["2_b", "1_a"]);
    assert!(migrator.rollback_steps(1).await.unwrap().is_empty());
    migrator.migrate().await.unwrap();
    assert_eq!(migrator.reset().await.unwrap(), ["3_c", "2_b", "1_a"]);
    assert!(tables(&db).await.is_empty());
}

#[tokio::test]
async fn a_migration_that_cannot_be_taken_back_stays_applied_as_a_whole() {
    static STUCK: &[Migration] = &[
        table("1_stuck", "create table a (n)", "drop table a; drop table no_such_table"),
        table("2_b", "create table b (n)", "drop table b"),
    ];
    let db = empty(&[]);
    let migrator = migrator(&db, STUCK);
    migrator.migrate().await.unwrap();
    let error = migrator.reset().await.unwrap_err();
    let expected = "the migration `1_stuck` could not be taken back, and is still applied as a whole: no such table: \
                    no_such_table; those after it are taken back: correct its down.sql and roll back again";
    assert_eq!(error.to_string(), expected);
    assert_eq!(states(&migrator).await, [state("1_stuck", "applied", Some(1)), state("2_b", "pending", None)]);
    assert_eq!(tables(&db).await, ["a"]);
}

#[tokio::test]
async fn what_an_earlier_run_left_half_way_is_shown_and_refused_until_it_is_repaired() {
    let db = empty(&[]);
    let migrator = migrator(&db, BOTH);
    migrator.migrate().await.unwrap();
    // As on a database that commits each change of the schema by itself, after a crash.
    db.apply(None, "update migrations set checksum = 'unfinished' where name = '2_b'".to_owned()).await.unwrap();
    assert_eq!(states(&migrator).await[1], state("2_b", "unfinished", Some(1)));
    let expected = "the migration `2_b` was left half-way by an earlier run: take back by hand what it did, delete its \
                    row from the table `migrations`, and run `migrate` again";
    assert_eq!(migrator.migrate().await.unwrap_err().to_string(), expected);
    assert_eq!(migrator.pretend().await.unwrap_err().to_string(), expected);
    assert_eq!(migrator.rollback(1).await.unwrap_err().to_string(), expected);
    db.apply(None, "drop table b; delete from migrations where name = '2_b'".to_owned()).await.unwrap();
    assert_eq!(migrator.migrate().await.unwrap(), ["2_b"]);
}

/// As many migrators as there are, each with connections of its own, as in a process of its own.
fn rivals<const COUNT: usize>(db: &Db<SqliteConn>) -> [Migrator; COUNT] {
    std::array::from_fn(|_| {
        let db = Arc::new(Db::<SqliteConn>::new(db.config().clone()).unwrap());
        Migrator::new(db, Arc::new(FakeClock::at(Timestamp::from_unix(0))), ALL)
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn migrators_that_go_both_ways_at_once_leave_a_schema_that_is_whole() {
    let db = empty(&[]);
    for _ in 0..5 {
        let tasks: Vec<_> = rivals::<4>(&db)
            .into_iter()
            .enumerate()
            .map(|(number, migrator)| {
                paravel::spawn(async move {
                    match number % 2 {
                        0 => migrator.migrate().await.map(|done| done.len()),
                        _ => migrator.reset().await.map(|done| done.len()),
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap().unwrap();
        }
        let applied = states(&migrator(&db, ALL)).await;
        let applied: Vec<_> = applied.into_iter().filter(|(_, state, _)| *state == "applied").collect();
        let names: Vec<_> = applied.iter().map(|(name, ..)| name.split_once('_').unwrap().1).collect();
        assert_eq!(tables(&db).await, names, "{applied:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn batches_never_go_down_so_that_the_last_is_taken_back_first() {
    let db = empty(&[]);
    let tasks = rivals::<4>(&db).map(|migrator| paravel::spawn(async move { migrator.migrate_stepwise().await }));
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    let rows = db.fetch(Statement::new("select batch from migrations order by name")).await.unwrap();
    let batches: Vec<_> = rows.iter().map(|row| row.integer("batch")).collect();
    assert_eq!(batches, [1, 2, 3]);
}
