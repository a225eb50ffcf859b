//! Callers that go away, connections that are all taken, and a database that is closed.

use std::{
    future::{Future, poll_fn},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use paravel::database::{Connection, DatabaseAdmin, DbError, Statement};
use tokio::sync::oneshot;

use super::{add, insert, names, ship, with_ships};

/// Longer than anything here takes; only what hangs comes to it.
const DEADLINE: Duration = Duration::from_secs(30);

/// Polls a future at most this often, whenever it says that it can go on, and drops it.
async fn cut<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = Box::pin(future);
    let mut left = polls;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if left == 0 => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

pub async fn a_write_that_was_begun_is_finished_although_its_caller_goes_away<C: Connection>() {
    let Some(db) = with_ships::<C>(&[("DB_WRITERS", "1")]).await else { return };
    let mut expected = Vec::new();
    for polls in 0.. {
        let name = format!("{polls:03}");
        let done = cut(add(&db, &name), polls).await;
        if polls > 0 {
            expected.push(name);
        }
        // There is one writer, so that what was begun has been done after it.
        db.write(async |c| Ok::<_, DbError>(c.batch_execute("select 1").await?)).await.unwrap();
        assert_eq!(names(&db).await, expected);
        if let Some(result) = done {
            result.unwrap();
            break;
        }
    }
    assert!(expected.len() > 1, "no write was ever pending");
    // Needs what an open transaction would lock.
    tokio::time::timeout(DEADLINE, db.wipe()).await.unwrap().unwrap();
}

pub async fn a_read_cut_short_at_any_point_leaves_nothing_open<C: Connection>() {
    let Some(db) = with_ships::<C>(&[("DB_READERS", "1")]).await else { return };
    add(&db, "0").await.unwrap();
    for polls in 0.. {
        let read = db.read(async |c| {
            c.transaction(async |c| {
                c.fetch(&Statement::new("select name from ships")).await?;
                Ok::<_, DbError>(c.fetch(&Statement::new("select count(*) as n from ships")).await?)
            })
            .await
        });
        let done = cut(read, polls).await;
        add(&db, &format!("{:03}", polls + 1)).await.unwrap();
        assert_eq!(names(&db).await.len(), polls + 2, "the present, and not a snapshot");
        if let Some(rows) = done {
            assert_eq!(rows.unwrap()[0].integer("n"), i64::try_from(polls + 1).unwrap());
            break;
        }
    }
    tokio::time::timeout(DEADLINE, db.wipe()).await.unwrap().unwrap();
}

pub async fn a_query_that_is_dropped_inside_a_write_does_no_harm<C: Connection>() {
    let Some(db) = with_ships::<C>(&[("DB_WRITERS", "1")]).await else { return };
    for polls in 1..4 {
        let failed: Result<(), DbError> = db
            .write(async move |c| {
                insert(c, "x").await?;
                let _ = cut(c.run(&ship("y")), polls).await;
                Err(DbError::Closed)
            })
            .await;
        assert!(matches!(failed, Err(DbError::Closed)), "{failed:?}");
        assert!(names(&db).await.is_empty());
    }
    add(&db, "x").await.unwrap();
    tokio::time::timeout(DEADLINE, db.wipe()).await.unwrap().unwrap();
}

pub async fn readers_that_are_all_taken_are_waited_for_and_no_longer<C: Connection>() {
    // In the same time a busy server has to let somebody in.
    let Some(db) = with_ships::<C>(&[("DB_READERS", "1"), ("DB_ACQUIRE_TIMEOUT", "1s")]).await else { return };
    names(&db).await;
    let (taken, is_taken) = oneshot::channel();
    let (release, released) = oneshot::channel::<()>();
    let holder = db.read(async move |_| {
        taken.send(()).unwrap();
        released.await.unwrap();
        Ok::<_, DbError>(())
    });
    let other = async {
        is_taken.await.unwrap();
        let refused = db.read(async |_| Ok::<_, DbError>(())).await;
        release.send(()).unwrap();
        refused
    };
    let (held, refused) = tokio::join!(holder, other);
    held.unwrap();
    let refused = refused.unwrap_err();
    assert!(matches!(refused, DbError::AcquireTimeout { waited } if waited == Duration::from_secs(1)));
    assert!(refused.is_transient());
    assert!(names(&db).await.is_empty());
}

pub async fn closing_does_what_waits_and_refuses_what_comes_later<C: Connection>() {
    let Some(db) = with_ships::<C>(&[]).await else { return };
    let mut write = Box::pin(add(&db, "last"));
    assert!(poll_fn(|context| Poll::Ready(write.as_mut().poll(context).is_pending())).await);
    let closed = Arc::clone(&db);
    tokio::time::timeout(DEADLINE, closed.close()).await.unwrap();
    write.await.unwrap();
    assert!(matches!(add(&db, "later").await, Err(DbError::Closed)));
    assert!(matches!(db.read(async |_| Ok::<_, DbError>(())).await, Err(DbError::Closed)));
    db.close().await;
}
