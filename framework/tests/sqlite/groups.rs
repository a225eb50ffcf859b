//! Writes that share a transaction: what one of them meets is its own affair, and where SQLite ends the transaction of
//! all, nobody is told that their write was kept.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, mpsc},
};

use diesel_async::SimpleAsyncConnection;
use paravel::database::{Connection, Db, DbError, SqliteConn, Statement};

use super::begin;
use crate::database::{TestDb, add, insert, names, with_ships};

type Write = Pin<Box<dyn Future<Output = Result<(), DbError>>>>;

async fn run(db: &Db<SqliteConn>, sql: &'static str) -> Result<(), DbError> {
    db.write(async move |c| Ok(c.batch_execute(sql).await?)).await
}

/// Gives these writes to the database so that they are in one group, and says what each was answered.
async fn together(test: &TestDb, writes: Vec<Write>) -> Vec<Result<(), DbError>> {
    let (entered, is_in) = tokio::sync::oneshot::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    // The group's first keeps the writer until all others wait.
    let mut first = Box::pin(test.write(async move |_| {
        entered.send(()).unwrap();
        released.lock().unwrap().recv().unwrap();
        Ok::<_, DbError>(())
    }));
    begin(&mut first).await;
    is_in.await.unwrap();
    let mut writes = writes;
    for write in &mut writes {
        begin(write).await;
    }
    release.send(()).unwrap();
    // Where the group is ended, so is the first one's write.
    let _ = first.await;
    let mut answers = Vec::new();
    for write in writes {
        answers.push(write.await);
    }
    answers
}

macro_rules! writes {
    ($($write:expr),* $(,)?) => { vec![$(Box::pin($write) as Write),*] };
}

async fn add_to(db: Arc<Db<SqliteConn>>, name: &'static str) -> Result<(), DbError> {
    add(&db, name.to_owned()).await
}

async fn run_on(db: Arc<Db<SqliteConn>>, sql: &'static str) -> Result<(), DbError> {
    run(&db, sql).await
}

#[tokio::test]
async fn one_that_fails_takes_back_nothing_of_the_others() {
    let test = with_ships(&[]).await;
    let db = || test.db.clone();
    let taken = "insert into ships values (x'01', 'half of it', '2026-01-01 00:00:00');
                 insert into ships values (x'02', 'one', '2026-01-01 00:00:00')";
    let answers =
        together(&test, writes![add_to(db(), "one"), run_on(db(), taken), panics(db()), add_to(db(), "two")]).await;
    assert!(answers[0].is_ok() && answers[3].is_ok(), "{answers:?}");
    assert!(answers[1].as_ref().unwrap_err().is_unique_violation(), "{answers:?}");
    assert!(matches!(&answers[2], Err(DbError::Panicked { message }) if message == "in the middle"), "{answers:?}");
    assert_eq!(names(&test).await, ["one", "two"]);
}

async fn panics(db: Arc<Db<SqliteConn>>) -> Result<(), DbError> {
    db.write(async |c| {
        insert(c, "before the panic").await?;
        panic!("in the middle");
    })
    .await
}

#[tokio::test]
async fn a_statement_that_rolls_back_the_whole_ends_it_for_all_before_and_for_nobody_after() {
    let test = with_ships(&[]).await;
    let db = || test.db.clone();
    add(&test, "taken".to_owned()).await.unwrap();
    let roll_back = "insert or rollback into ships values (x'01', 'taken', '2026-01-01 00:00:00')";
    let answers =
        together(&test, writes![add_to(db(), "before"), run_on(db(), roll_back), add_to(db(), "after")]).await;
    let DbError::GroupAborted { cause } = answers[0].as_ref().unwrap_err() else { panic!("{answers:?}") };
    assert_eq!(cause, "UNIQUE constraint failed: ships.name", "the cause is kept");
    assert!(answers[0].as_ref().unwrap_err().is_transient());
    assert!(answers[1].as_ref().unwrap_err().is_unique_violation(), "{answers:?}");
    assert!(answers[2].is_ok(), "{answers:?}");
    assert_eq!(names(&test).await, ["after", "taken"]);
}

#[tokio::test]
async fn a_write_that_passes_over_the_end_of_the_transaction_is_not_told_ok() {
    let test = with_ships(&[]).await;
    add(&test, "taken".to_owned()).await.unwrap();
    let answer = test
        .write(async |c| {
            insert(c, "lost").await?;
            let roll_back = "insert or rollback into ships values (x'01', 'taken', '2026-01-01 00:00:00')";
            assert!(c.batch_execute(roll_back).await.is_err());
            // It believes that all is well, and writes outside any transaction.
            insert(c, "outside").await
        })
        .await;
    assert!(answer.is_err());
    let kept = names(&test).await;
    assert!(!kept.contains(&"lost".to_owned()), "{kept:?}");
    add(&test, "next".to_owned()).await.unwrap();
}

#[tokio::test]
async fn a_key_that_is_wrong_at_the_commit_is_told_to_all() {
    let test = with_ships(&[]).await;
    let db = || test.db.clone();
    let orphan = "insert into crew values (x'00')";
    let answers = together(&test, writes![add_to(db(), "one"), run_on(db(), orphan), add_to(db(), "two")]).await;
    for answer in &answers {
        let Err(DbError::GroupAborted { cause }) = answer else { panic!("{answers:?}") };
        assert_eq!(cause, "FOREIGN KEY constraint failed");
    }
    assert!(names(&test).await.is_empty());
    let alone = run(&test, orphan).await.unwrap_err();
    assert!(alone.is_foreign_key_violation(), "who is alone is told the cause itself: {alone:?}");
    add(&test, "next".to_owned()).await.unwrap();
}

#[tokio::test]
async fn transactions_whose_group_was_ended_by_another_are_run_again() {
    let test = with_ships(&[]).await;
    let db = || test.db.clone();
    add(&test, "taken".to_owned()).await.unwrap();
    let roll_back = "insert or rollback into ships values (x'01', 'taken', '2026-01-01 00:00:00')";
    let answers = together(&test, writes![again(db()), run_on(db(), roll_back)]).await;
    assert!(answers[0].is_ok() && answers[1].is_err(), "{answers:?}");
    assert_eq!(names(&test).await, ["again", "taken"]);
}

async fn again(db: Arc<Db<SqliteConn>>) -> Result<(), DbError> {
    db.transaction(async |c| insert(c, "again").await).await
}

#[tokio::test]
async fn where_the_disk_is_full_writes_fail_reads_go_on_and_it_recovers() {
    let test = with_ships(&[]).await;
    let db = || test.db.clone();
    add(&test, "before".to_owned()).await.unwrap();
    run(&test, "create table blobs (bytes blob); pragma max_page_count = 64").await.unwrap();
    let large = "insert into blobs values (zeroblob(1000000))";
    let answers = together(&test, writes![add_to(db(), "one"), run_on(db(), large), add_to(db(), "two")]).await;
    assert!(answers[1].as_ref().unwrap_err().is_full(), "{answers:?}");
    for (answer, name) in [(&answers[0], "one"), (&answers[2], "two")] {
        let kept = names(&test).await.contains(&name.to_owned());
        assert_eq!(answer.is_ok(), kept, "whoever is told Ok is there, and nobody else: {answers:?}");
    }
    assert!(names(&test).await.contains(&"before".to_owned()), "reads serve");
    // What is needed to fill the rest, row by row, until not even a small one fits.
    let mut last = Ok(());
    while last.is_ok() {
        last = run(&test, "insert into blobs values (zeroblob(4000))").await;
    }
    assert!(last.unwrap_err().is_full());
    assert!(names(&test).await.contains(&"before".to_owned()));
    run(&test, "pragma max_page_count = 100000").await.unwrap();
    run(&test, large).await.unwrap();
    add(&test, "after".to_owned()).await.unwrap();
    let check = test.read(async |c| Ok::<_, DbError>(c.fetch(&Statement::new("pragma integrity_check")).await?)).await;
    assert_eq!(check.unwrap()[0].text("integrity_check"), "ok");
}
