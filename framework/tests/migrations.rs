//! Migrations: applied in order and in batches, taken back, and refused where they were edited.

use std::sync::Arc;

use paravel::{
    container::GraphFault,
    database::{DatabaseAdmin, Db, Migration, MigrationError, Migrator, SqliteConn, Statement},
    foundation::{Application, StartError},
    support::{Env, FakeClock, Timestamp},
};

use crate::database::{TestDb, empty};

static EMBEDDED: &[Migration] = paravel::migrations!("tests/migrations");

pub const fn table(name: &'static str, up: &'static str, down: &'static str) -> Migration {
    Migration::new(name, up, down, &[], &[])
}

pub static FIRST: &[Migration] = &[table("1_a", "create table a (n)", "drop table a")];
pub static BOTH: &[Migration] =
    &[table("1_a", "create table a (n)", "drop table a"), table("2_b", "create table b (n)", "drop table b")];
pub static ALL: &[Migration] = &[
    table("1_a", "create table a (n)", "drop table a"),
    table("2_b", "create table b (n)", "drop table b"),
    table("3_c", "create table c (n)", "drop table c"),
];

pub fn migrator(db: &TestDb, migrations: &'static [Migration]) -> Migrator {
    let clock = FakeClock::at(Timestamp::from_unix(1_700_000_000));
    Migrator::new(Arc::clone(&db.db) as _, Arc::new(clock), migrations)
}

pub async fn tables(db: &TestDb) -> Vec<String> {
    let tables = db.info().await.unwrap().tables;
    tables.keys().filter(|name| *name != "migrations").cloned().collect()
}

pub async fn states(migrator: &Migrator) -> Vec<(String, &'static str, Option<i64>)> {
    let status = migrator.status().await.unwrap();
    status.into_iter().map(|one| (one.name, one.state, one.batch)).collect()
}

pub fn state(name: &str, state: &'static str, batch: Option<i64>) -> (String, &'static str, Option<i64>) {
    (name.to_owned(), state, batch)
}

#[tokio::test]
async fn what_is_pending_is_applied_in_order_and_once() {
    let db = empty(&[]);
    let migrator = migrator(&db, BOTH);
    assert_eq!(states(&migrator).await, [state("1_a", "pending", None), state("2_b", "pending", None)]);
    assert_eq!(migrator.migrate().await.unwrap(), ["1_a", "2_b"]);
    assert!(migrator.migrate().await.unwrap().is_empty());
    assert_eq!(states(&migrator).await, [state("1_a", "applied", Some(1)), state("2_b", "applied", Some(1))]);
    assert_eq!(tables(&db).await, ["a", "b"]);
    let rows = db.fetch(Statement::new("select distinct applied_at from migrations")).await.unwrap();
    assert_eq!(rows[0].text("applied_at"), "2023-11-14T22:13:20.000000Z");
}

#[tokio::test]
async fn a_rollback_takes_back_the_last_batch_latest_first() {
    let db = empty(&[]);
    migrator(&db, FIRST).migrate().await.unwrap();
    let migrator = migrator(&db, ALL);
    assert_eq!(migrator.migrate().await.unwrap(), ["2_b", "3_c"]);
    assert_eq!(states(&migrator).await[2], state("3_c", "applied", Some(2)));
    assert_eq!(migrator.rollback(1).await.unwrap(), ["3_c", "2_b"]);
    assert_eq!(tables(&db).await, ["a"]);
    migrator.migrate().await.unwrap();
    assert_eq!(migrator.rollback(2).await.unwrap(), ["3_c", "2_b", "1_a"]);
    assert!(tables(&db).await.is_empty());
    assert!(migrator.rollback(1).await.unwrap().is_empty());
}

#[tokio::test]
async fn fresh_drops_whatever_is_there_first() {
    let db = empty(&[]);
    let migrator = migrator(&db, BOTH);
    migrator.migrate().await.unwrap();
    db.apply(None, "insert into a values (1); create table of_somebody_else (n)".to_owned()).await.unwrap();
    assert_eq!(migrator.fresh().await.unwrap(), ["1_a", "2_b"]);
    assert_eq!(tables(&db).await, ["a", "b"]);
    assert_eq!(db.info().await.unwrap().tables["a"], 0);
}

#[tokio::test]
async fn an_edited_migration_is_refused_before_anything_is_applied() {
    static EDITED: &[Migration] =
        &[table("1_a", "create table a (n, m)", "drop table a"), table("2_b", "create table b (n)", "drop table b")];
    let db = empty(&[]);
    migrator(&db, FIRST).migrate().await.unwrap();
    let edited = migrator(&db, EDITED);
    assert_eq!(states(&edited).await[0], state("1_a", "edited", Some(1)));
    let error = edited.migrate().await.unwrap_err();
    assert!(matches!(&error, MigrationError::Edited { name } if name == "1_a"), "{error}");
    assert_eq!(tables(&db).await, ["a"]);
}

#[tokio::test]
async fn other_line_ends_are_no_edit() {
    static UNIX: &[Migration] = &[table("1_a", "create table a\n(n)", "drop table a")];
    static WINDOWS: &[Migration] = &[table("1_a", "create table a\r\n(n)", "drop table a")];
    let db = empty(&[]);
    migrator(&db, UNIX).migrate().await.unwrap();
    assert!(migrator(&db, WINDOWS).migrate().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_of_itself_and_keeps_those_before_it() {
    static BROKEN: &[Migration] = &[
        table("1_a", "create table a (n)", "drop table a"),
        table("2_broken", "create table half (n); insert into no_such_table values (1);", ""),
        table("3_c", "create table c (n)", "drop table c"),
    ];
    let db = empty(&[]);
    let migrator = migrator(&db, BROKEN);
    let error = migrator.migrate().await.unwrap_err();
    let expected = "the migration `2_broken` failed, and nothing of it was kept: no such table: no_such_table; those before \
                    it are applied: correct it and run `migrate` again";
    assert_eq!(error.to_string(), expected);
    assert_eq!(tables(&db).await, ["a"]);
    assert_eq!(states(&migrator).await[1], state("2_broken", "pending", None));
}

#[tokio::test]
async fn what_was_applied_by_a_newer_build_is_listed_and_cannot_be_rolled_back() {
    let db = empty(&[]);
    migrator(&db, BOTH).migrate().await.unwrap();
    let older = migrator(&db, FIRST);
    assert_eq!(states(&older).await, [state("1_a", "applied", Some(1)), state("2_b", "unknown", Some(1))]);
    let error = older.rollback(1).await.unwrap_err();
    assert!(matches!(&error, MigrationError::Unknown { name } if name == "2_b"), "{error}");
    assert_eq!(tables(&db).await, ["a", "b"], "nothing was taken back");
    assert!(older.migrate().await.unwrap().is_empty(), "and going on is no harm");
}

#[tokio::test]
async fn embedded_migrations_are_sorted_and_a_backends_own_script_is_chosen() {
    let names: Vec<_> = EMBEDDED.iter().map(Migration::name).collect();
    assert_eq!(names, ["0001_create_ships", "0002_create_crew", "0003_name_ships"]);
    let db = empty(&[]);
    let migrator = migrator(&db, EMBEDDED);
    migrator.migrate().await.unwrap();
    assert_eq!(tables(&db).await, ["crew", "ships"]);
    assert_eq!(migrator.rollback(1).await.unwrap().len(), 3);
    assert!(tables(&db).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn migrators_that_start_at_once_apply_each_migration_once() {
    let test = empty(&[]);
    let migrators: Vec<_> = (0..4)
        .map(|_| {
            let db = Arc::new(Db::<SqliteConn>::new(test.config().clone()).unwrap());
            let migrator = Migrator::new(db, Arc::new(FakeClock::at(Timestamp::from_unix(0))), ALL);
            paravel::spawn(async move { migrator.migrate().await })
        })
        .collect();
    let mut applied = Vec::new();
    for migrator in migrators {
        applied.extend(migrator.await.unwrap().unwrap());
    }
    applied.sort_unstable();
    assert_eq!(applied, ["1_a", "2_b", "3_c"]);
    assert_eq!(tables(&test).await, ["a", "b", "c"]);
}

#[tokio::test]
async fn a_database_that_cannot_be_opened_is_no_missing_table() {
    let db = empty(&[]);
    std::fs::create_dir(db.folder.path().join("test.sqlite")).unwrap();
    let error = migrator(&db, FIRST).migrate().await.unwrap_err();
    assert!(error.to_string().starts_with("cannot open the database"), "{error}");
}

#[test]
fn an_application_s_migration_cannot_have_a_name_of_the_toolkit_s() {
    static NAMED: &[Migration] = &[table("0001_01_01_000001_mine", "", ""), table("2026_01_01_000001_mine", "", "")];
    let built = Application::builder().env(Env::default()).database::<SqliteConn>(NAMED).build();
    let Err(StartError::Graph(faults)) = built else { panic!("it was built") };
    let expected = "the migration `0001_01_01_000001_mine` has a name of the toolkit's: begin it with its date";
    assert!(faults.0.contains(&GraphFault::DuplicateName(expected.to_owned())), "{faults}");
    assert!(!faults.to_string().contains("2026"), "{faults}");
}
