//! Database calls whose caller goes away: what was begun is finished, and nothing stays locked.

use std::{
    future::{Future, poll_fn},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use diesel_async::{AsyncConnection, SimpleAsyncConnection};
use paravel::database::{Connection, Db, DbError, SqliteConn, Statement};

use crate::database::{add, config, insert, names, with_ships};

/// Reads in a transaction that never ends.
async fn read_and_wait(db: &Db<SqliteConn>) -> Result<(), DbError> {
    db.read(async |c| {
        c.transaction(async |c| {
            c.fetch(&Statement::new("select name from ships")).await?;
            std::future::pending().await
        })
        .await
    })
    .await
}

#[tokio::test]
async fn a_write_that_was_begun_is_finished_although_its_caller_goes_away() {
    let test = with_ships(&[]).await;
    let mut expected = Vec::new();
    for polls in 0.. {
        let name = format!("{polls:03}");
        let mut write = Box::pin(add(&test, name.clone()));
        let mut left = polls;
        let done = poll_fn(|context| {
            if left == 0 {
                return Poll::Ready(None);
            }
            left -= 1;
            match write.as_mut().poll(context) {
                Poll::Ready(result) => Poll::Ready(Some(result)),
                Poll::Pending if left == 0 => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        })
        .await;
        drop(write);
        if polls > 0 {
            expected.push(name);
        }
        // It waits in the same queue, so that what was begun has been done after it.
        test.write(async |c| Ok::<_, DbError>(c.batch_execute("select 1").await?)).await.unwrap();
        assert_eq!(names(&test).await, expected);
        if let Some(result) = done {
            result.unwrap();
            break;
        }
    }
    assert!(expected.len() > 1, "no write was ever pending");
    // A transaction left open would lock this one out.
    let url = format!("sqlite://{}", test.folder.path().join("test.sqlite").display());
    let other = Db::<SqliteConn>::new(config(&url, &[])).unwrap();
    other.write(async |c| insert(c, "of another process").await).await.unwrap();
}

#[tokio::test]
async fn a_read_that_is_dropped_inside_a_transaction_leaves_no_lock() {
    let test = with_ships(&[("DB_READERS", "1")]).await;
    let mut read = Box::pin(read_and_wait(&test));
    poll_fn(|context| {
        assert!(read.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
    drop(read);
    test.write(async |c| insert(c, "x").await).await.unwrap();
    assert_eq!(names(&test).await, ["x"], "the next reader sees the present and not the snapshot");
}

#[tokio::test]
async fn what_waits_is_still_written_when_the_database_is_dropped() {
    let test = with_ships(&[]).await;
    let path = test.folder.path().join("test.sqlite");
    let mut write = Box::pin({
        let db = Arc::clone(&test.db);
        async move { db.write(async |c| insert(c, "last").await).await }
    });
    poll_fn(|context| Poll::Ready(write.as_mut().poll(context).is_ready())).await;
    drop(write);
    let folder = test.folder;
    drop(test.db);
    let other = Db::<SqliteConn>::new(config(&format!("sqlite://{}", path.display()), &[])).unwrap();
    // Whichever of the two comes first waits for the other's lock.
    other.write(async |c| insert(c, "after it").await).await.unwrap();
    let written = async {
        while names(&other).await.len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), written).await.unwrap();
    assert_eq!(names(&other).await, ["after it", "last"]);
    drop(folder);
}

#[tokio::test]
async fn closing_does_what_waits_and_refuses_what_comes_later() {
    let test = with_ships(&[]).await;
    assert!(names(&test).await.is_empty());
    let mut write = Box::pin(add(&test, "last".to_owned()));
    assert!(poll_fn(|context| Poll::Ready(write.as_mut().poll(context).is_pending())).await);
    test.close().await;
    write.await.unwrap();
    assert!(!test.folder.path().join("test.sqlite-wal").exists(), "the log is in the file, and nobody holds it");
    assert!(matches!(add(&test, "later".to_owned()).await, Err(DbError::Closed)));
    assert!(matches!(test.read(async |_| Ok::<_, DbError>(())).await, Err(DbError::Closed)));
    test.close().await;
    let other = Db::<SqliteConn>::new(test.config().clone()).unwrap();
    assert_eq!(names(&other).await, ["last"]);
}
