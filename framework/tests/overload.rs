//! A database under load: what waits, what is refused, and that nothing is lost.

use std::{
    future::{Future, poll_fn},
    sync::{Arc, Mutex, mpsc},
    task::Poll,
    time::Duration,
};

use paravel::database::DbError;

use crate::database::{add, insert, names, with_ships};

#[tokio::test(start_paused = true)]
async fn a_read_that_waits_too_long_for_a_connection_is_a_typed_error() {
    let test = with_ships(&[("DB_READERS", "1"), ("DB_ACQUIRE_TIMEOUT", "250ms")]).await;
    let (entered, is_in) = tokio::sync::oneshot::channel();
    let db = Arc::clone(&test.db);
    let holder = paravel::spawn(async move {
        db.read(async move |_| {
            entered.send(()).unwrap();
            std::future::pending::<Result<(), DbError>>().await
        })
        .await
    });
    is_in.await.unwrap();
    let error = test.read(async |_| Ok::<_, DbError>(())).await.unwrap_err();
    assert!(matches!(error, DbError::AcquireTimeout { waited } if waited == Duration::from_millis(250)), "{error:?}");
    assert!(error.is_transient());
    holder.abort();
    assert!(holder.await.unwrap_err().is_cancelled());
    assert!(names(&test).await.is_empty(), "and then it is free again");
}

#[tokio::test]
async fn a_write_that_finds_the_queue_full_is_a_typed_error() {
    let test = with_ships(&[("DB_WRITE_QUEUE", "1")]).await;
    let (entered, is_in) = tokio::sync::oneshot::channel();
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    let first = paravel::spawn({
        let db = Arc::clone(&test.db);
        async move {
            db.write(async move |c| {
                entered.send(()).unwrap();
                released.lock().unwrap().recv().unwrap();
                insert(c, "first").await
            })
            .await
        }
    });
    is_in.await.unwrap();
    let mut second = Box::pin(add(&test, "second".to_owned()));
    poll_fn(|context| {
        assert!(second.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
    let third = test.write(async |c| insert(c, "third").await).await.unwrap_err();
    assert!(matches!(third, DbError::Overloaded { waiting: 1 }) && third.is_transient(), "{third:?}");
    release.send(()).unwrap();
    first.await.unwrap().unwrap();
    second.await.unwrap();
    assert_eq!(names(&test).await, ["first", "second"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_and_reads_at_once_lose_nothing() {
    let test = with_ships(&[("DB_READERS", "2")]).await;
    let tasks: Vec<_> = (0..64)
        .map(|n| {
            let db = Arc::clone(&test.db);
            paravel::spawn(async move {
                db.write(async move |c| insert(c, &format!("{n:02}")).await).await.unwrap();
                assert!(names(&db).await.contains(&format!("{n:02}")), "it is read back once it is answered");
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(names(&test).await.len(), 64);
}
