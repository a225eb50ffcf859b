//! Where reads run: short ones on the thread that asks, others elsewhere, so that its other tasks go on.

use std::{
    sync::{Mutex, mpsc},
    thread::{self, ThreadId},
};

use paravel::database::{Connection, Db, DbError, SqliteConn, Statement};

use super::begin;
use crate::database::{add, names, with_ships};

/// A query that takes until somebody says so.
async fn long(db: &Db<SqliteConn>, end: mpsc::Receiver<()>) -> Result<(), DbError> {
    let end = Mutex::new(end);
    db.read(async move |c| {
        c.spawn_blocking(move |_| {
            end.lock().unwrap().recv().unwrap();
            Ok(())
        })
        .await?;
        Ok(())
    })
    .await
}

/// The thread that a short query ran on.
async fn short(db: &Db<SqliteConn>) -> ThreadId {
    let ran = db.read(async |c| Ok::<_, DbError>(c.spawn_blocking(|_| Ok(thread::current().id())).await?));
    ran.await.unwrap()
}

#[tokio::test]
async fn a_long_read_does_not_keep_the_thread_from_its_other_tasks() {
    let test = with_ships(&[]).await;
    let (end, ends) = mpsc::channel();
    // One thread, on which the second of the two ends the first.
    let (read, ()) = tokio::join!(long(&test, ends), async { end.send(()).unwrap() });
    read.unwrap();
}

#[tokio::test]
async fn a_read_that_was_short_often_enough_runs_on_the_thread_that_asks() {
    let test = with_ships(&[]).await;
    assert_ne!(short(&test).await, thread::current().id(), "what is not known may be long");
    // Each time the machine is slow it has to prove itself anew.
    while short(&test).await != thread::current().id() {}
}

#[tokio::test]
async fn a_long_read_whose_caller_goes_away_counts_among_the_readers_until_its_end() {
    let test = with_ships(&[("DB_READERS", "1"), ("DB_ACQUIRE_TIMEOUT", "20ms")]).await;
    let (end, ends) = mpsc::channel();
    let mut read = Box::pin(long(&test, ends));
    begin(&mut read).await;
    drop(read);
    let refused = test.read(async |c| Ok::<_, DbError>(c.fetch(&Statement::new("select 1")).await?)).await;
    assert!(matches!(refused, Err(DbError::AcquireTimeout { .. })), "{refused:?}");
    add(&test, "writes go on".to_owned()).await.unwrap();
    end.send(()).unwrap();
    // Its connection comes back as soon as the other thread has noticed.
    while test.read(async |c| Ok::<_, DbError>(c.fetch(&Statement::new("select 1")).await?)).await.is_err() {}
    assert_eq!(names(&test).await, ["writes go on"]);
}

#[tokio::test]
async fn a_panic_elsewhere_is_a_panic_here() {
    let test = with_ships(&[]).await;
    let db = test.db.clone();
    let panics = paravel::spawn(async move {
        db.read(async |c| {
            c.spawn_blocking(|_| -> diesel::QueryResult<()> { panic!("in a query") }).await?;
            Ok::<_, DbError>(())
        })
        .await
    });
    assert!(panics.await.unwrap_err().is_panic());
    assert!(names(&test).await.is_empty(), "and its connection is whole");
}
