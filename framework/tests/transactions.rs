//! Transactions: what commits, what rolls back, and what is refused.

use std::{
    future::{Future, poll_fn},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use diesel_async::{AsyncConnection, SimpleAsyncConnection};
use futures_util::future::BoxFuture;
use paravel::database::{DbError, SqliteConn};

use crate::database::{insert, names, with_ships};

#[tokio::test]
async fn an_error_rolls_back_and_is_returned() {
    let db = with_ships(&[]).await;
    let error = db
        .write(async |c| {
            insert(c, "x").await?;
            Err::<(), _>(DbError::AcquireTimeout { waited: Duration::ZERO })
        })
        .await
        .unwrap_err();
    assert!(matches!(error, DbError::AcquireTimeout { .. }));
    assert!(names(&db).await.is_empty());
}

#[tokio::test]
async fn a_panic_rolls_back_and_the_next_write_works() {
    let db = with_ships(&[]).await;
    let error = db
        .write(async |c| {
            insert(c, "x").await?;
            if names_of(c).await? == 1 {
                panic!("overboard");
            }
            Ok::<(), DbError>(())
        })
        .await
        .unwrap_err();
    assert!(matches!(&error, DbError::Panicked { message } if message == "overboard"), "{error:?}");
    db.write(async |c| insert(c, "y").await).await.unwrap();
    assert_eq!(names(&db).await, ["y"]);
}

async fn names_of(c: &mut SqliteConn) -> Result<usize, DbError> {
    use paravel::database::{Connection, Statement};
    Ok(c.fetch(&Statement::new("select name from ships")).await?.len())
}

fn panics_before_it_has_a_future(_: &mut SqliteConn) -> BoxFuture<'_, Result<(), DbError>> {
    panic!("too early")
}

#[tokio::test]
async fn a_function_may_panic_before_it_returns_its_future() {
    let db = with_ships(&[]).await;
    let error = db.write(panics_before_it_has_a_future).await.unwrap_err();
    assert!(matches!(&error, DbError::Panicked { message } if message == "too early"), "{error:?}");
    db.write(async |c| insert(c, "y").await).await.unwrap();
}

#[tokio::test]
async fn a_database_call_inside_a_closure_is_refused_and_never_waits() {
    let test = with_ships(&[("DB_READERS", "1")]).await;
    let refused =
        |result: Result<(), DbError>| assert!(matches!(result, Err(DbError::NestedTransaction)), "{result:?}");
    let db = Arc::clone(&test.db);
    refused(test.write(async move |_| db.read(async |_| Ok::<_, DbError>(())).await).await);
    let db = Arc::clone(&test.db);
    refused(test.write(async move |_| db.write(async |_| Ok::<_, DbError>(())).await).await);
    refused(test.read(async |_| test.read(async |_| Ok::<_, DbError>(())).await).await);
    refused(test.read(async |_| test.write(async |_| Ok::<_, DbError>(())).await).await);
    refused(test.read(async |_| test.transaction(async |_| Ok::<_, DbError>(())).await).await);
    test.write(async |c| insert(c, "x").await).await.unwrap();
}

#[tokio::test]
async fn a_savepoint_rolls_back_alone() {
    let db = with_ships(&[]).await;
    db.write(async |c| {
        insert(c, "a").await?;
        let inner = c
            .transaction(async |c| {
                insert(c, "b").await?;
                Err::<(), _>(DbError::Closed)
            })
            .await;
        assert!(inner.is_err());
        c.transaction(async |c| insert(c, "c").await).await?;
        Ok::<_, DbError>(())
    })
    .await
    .unwrap();
    assert_eq!(names(&db).await, ["a", "c"]);
}

#[tokio::test]
async fn a_panic_inside_a_savepoint_rolls_back_the_whole() {
    let db = with_ships(&[]).await;
    let result: Result<(), DbError> = db
        .write(async |c| {
            insert(c, "a").await?;
            c.transaction(async |c| {
                insert(c, "b").await?;
                panic!("overboard")
            })
            .await
        })
        .await;
    assert!(matches!(result, Err(DbError::Panicked { .. })), "{result:?}");
    db.write(async |c| insert(c, "c").await).await.unwrap();
    assert_eq!(names(&db).await, ["c"]);
}

/// Writes in a savepoint that never ends.
async fn insert_and_wait(c: &mut SqliteConn) -> Result<(), DbError> {
    c.transaction(async |c| {
        insert(c, "b").await?;
        std::future::pending().await
    })
    .await
}

#[tokio::test]
async fn a_savepoint_that_is_dropped_half_way_fails_the_whole() {
    let db = with_ships(&[]).await;
    let result = db
        .write(async |c| {
            insert(c, "a").await?;
            let mut nested = Box::pin(insert_and_wait(c));
            poll_fn(|context| {
                assert!(nested.as_mut().poll(context).is_pending());
                Poll::Ready(())
            })
            .await;
            drop(nested);
            Ok::<_, DbError>(())
        })
        .await;
    assert!(matches!(result, Err(DbError::Unfinished)), "{result:?}");
    db.write(async |c| insert(c, "c").await).await.unwrap();
    assert_eq!(names(&db).await, ["c"]);
}

#[tokio::test]
async fn nobody_is_told_yes_where_sqlite_ended_the_transaction_by_itself() {
    let db = with_ships(&[]).await;
    db.write(async |c| insert(c, "a").await).await.unwrap();
    let result = db
        .write(async |c| {
            insert(c, "b").await?;
            let again = "insert or rollback into ships select randomblob(16), 'a', built_at from ships limit 1";
            assert!(c.batch_execute(again).await.is_err());
            Ok::<_, DbError>(())
        })
        .await;
    assert!(result.is_err(), "its caller would believe that `b` is there");
    db.write(async |c| insert(c, "c").await).await.unwrap();
    assert_eq!(names(&db).await, ["a", "c"]);
}

#[tokio::test]
async fn a_panic_in_a_read_gives_the_connection_back() {
    let test = with_ships(&[("DB_READERS", "1")]).await;
    let db = Arc::clone(&test.db);
    let read = paravel::spawn(async move { db.read(async |_| -> Result<(), DbError> { panic!("overboard") }).await });
    assert!(read.await.unwrap_err().is_panic());
    assert!(names(&test).await.is_empty());
}

#[tokio::test]
async fn a_panic_inside_the_connection_does_not_end_the_process() {
    use diesel::{prelude::*, sqlite::Sqlite};
    use diesel_async::RunQueryDsl;

    #[derive(Debug, diesel::expression::AsExpression)]
    #[diesel(sql_type = diesel::sql_types::Text)]
    struct Unwritable;

    impl diesel::serialize::ToSql<diesel::sql_types::Text, Sqlite> for Unwritable {
        fn to_sql<'b>(&'b self, _: &mut diesel::serialize::Output<'b, '_, Sqlite>) -> diesel::serialize::Result {
            panic!("unwritable")
        }
    }

    let test = with_ships(&[("DB_READERS", "1")]).await;
    let query = || diesel::select(Unwritable.into_sql::<diesel::sql_types::Text>());
    let db = Arc::clone(&test.db);
    let read =
        paravel::spawn(
            async move { db.read(async |c| Ok::<_, DbError>(query().get_result::<String>(c).await?)).await },
        );
    assert!(read.await.unwrap_err().is_panic());
    assert!(names(&test).await.is_empty());
    let write = test.write(async move |c| Ok::<_, DbError>(query().get_result::<String>(c).await?)).await;
    assert!(matches!(write, Err(DbError::Panicked { .. })), "{write:?}");
    test.write(async |c| insert(c, "x").await).await.unwrap();
}

#[tokio::test]
async fn a_transaction_that_may_be_run_again_commits_like_a_write() {
    let db = with_ships(&[]).await;
    let name = "x".to_owned();
    db.transaction(async move |c| insert(c, &name).await).await.unwrap();
    assert_eq!(names(&db).await, ["x"]);
    let error = db.transaction(async |c| insert(c, "x").await).await.unwrap_err();
    assert!(error.is_unique_violation(), "which nothing would mend: {error:?}");
}
