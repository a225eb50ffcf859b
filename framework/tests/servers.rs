//! The backends that are servers: lost connections, overload, and addresses that lead nowhere.

use std::time::Duration;

use paravel::database::{Connection, DatabaseAdmin, Db, DbError, Statement};
use tokio::sync::oneshot;

use crate::{
    conformance::{add, insert, names, with_ships},
    database::config,
};

/// What a server calls a session, and how another ends it.
fn session(backend: &str) -> (&'static str, fn(i64) -> String) {
    match backend {
        "postgres" => ("select pg_backend_pid() as id", |id| format!("select pg_terminate_backend({id})")),
        _ => ("select connection_id() as id", |id| format!("kill {id}")),
    }
}

async fn sessions_that_the_server_closed_are_replaced<C: Connection>() {
    let Some(db) = with_ships::<C>(&[("DB_READERS", "1"), ("DB_WRITERS", "1")]).await else { return };
    let other = Db::<C>::new(db.config().clone()).unwrap();
    let (own, end) = session(C::BACKEND);
    let reading = db.fetch(Statement::new(own)).await.unwrap()[0].integer("id");
    let writing = db.write(async move |c| Ok::<_, DbError>(c.fetch(&Statement::new(own)).await?)).await.unwrap();
    for id in [reading, writing[0].integer("id")] {
        let end = end(id);
        other.write(async move |c| Ok::<_, DbError>(c.batch_execute(&end).await?)).await.unwrap();
    }
    // Whoever comes before the end is noticed is told, and nobody after.
    let mut done = 0;
    for turn in 0..20 {
        match add(&db, &format!("{turn:02}")).await {
            Ok(()) => done += 1,
            Err(error) => assert!(turn == 0, "{error}"),
        }
    }
    let query = Statement::new("select count(*) as n from ships");
    let counted = match db.fetch(query.clone()).await {
        Ok(rows) => rows,
        Err(_) => db.fetch(query).await.unwrap(),
    };
    assert!(counted[0].integer("n") == done && done >= 19);
}

async fn a_session_that_ends_inside_a_write_keeps_nothing<C: Connection>() {
    let Some(db) = with_ships::<C>(&[("DB_WRITERS", "1")]).await else { return };
    let (own, end) = session(C::BACKEND);
    let failed = db
        .write(async move |c| {
            insert(c, "x").await?;
            let id = c.fetch(&Statement::new(own)).await?[0].integer("id");
            // It may be told of its own end, or find it out at the next statement.
            let _ = c.batch_execute(&end(id)).await;
            Ok::<_, DbError>(())
        })
        .await;
    assert!(failed.is_err());
    add(&db, "y").await.unwrap();
    assert_eq!(names(&db).await, ["y"]);
}

async fn writes_beyond_the_queue_are_refused_and_those_that_wait_too_long_fail<C: Connection>() {
    let settings = [("DB_WRITERS", "1"), ("DB_WRITE_QUEUE", "2"), ("DB_ACQUIRE_TIMEOUT", "50ms")];
    let Some(db) = with_ships::<C>(&settings).await else { return };
    let (taken, is_taken) = oneshot::channel();
    let (release, released) = oneshot::channel::<()>();
    let holder = db.write(async move |c| {
        insert(c, "first").await?;
        taken.send(()).unwrap();
        released.await.unwrap();
        Ok::<_, DbError>(())
    });
    let others = async {
        is_taken.await.unwrap();
        let (waited, refused) = tokio::join!(add(&db, "second"), add(&db, "third"));
        release.send(()).unwrap();
        assert!(matches!(waited, Err(DbError::AcquireTimeout { waited }) if waited == Duration::from_millis(50)));
        assert!(matches!(refused, Err(DbError::Overloaded { waiting: 2 })));
    };
    let (held, ()) = tokio::join!(holder, others);
    held.unwrap();
    add(&db, "fourth").await.unwrap();
    assert_eq!(names(&db).await, ["first", "fourth"]);
}

async fn an_address_that_leads_nowhere_is_named_without_its_password<C: Connection>() {
    // Nothing listens on the discard port.
    let url = format!("{}://somebody:hunter22@127.0.0.1:9/app?password=hunter22", C::BACKEND);
    let error = Db::<C>::new(config(&url, &[])).unwrap().connect().await.unwrap_err();
    assert!(matches!(error, DbError::Open { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("[redacted]@127.0.0.1:9/app") && !text.contains("hunter22"), "{text}");
}

async fn an_address_that_asks_for_tls_is_refused<C: Connection>() {
    let option = if C::BACKEND == "postgres" { "sslmode=require" } else { "require_ssl=true" };
    let url = format!("{}://somebody@127.0.0.1:9/app?{option}", C::BACKEND);
    let error = Db::<C>::new(config(&url, &[])).unwrap().connect().await.unwrap_err();
    assert!(error.to_string().contains("TLS"), "{error}");
}

macro_rules! on_servers {
    ($($test:ident,)*) => {
        #[cfg(feature = "postgres")]
        on_servers!(postgres, paravel::database::PgConn, $($test,)*);
        #[cfg(feature = "mysql")]
        on_servers!(mysql, paravel::database::MysqlConn, $($test,)*);
    };
    ($backend:ident, $connection:ty, $($test:ident,)*) => {
        mod $backend {
            $(#[tokio::test]
            async fn $test() {
                super::$test::<$connection>().await;
            })*
        }
    };
}

on_servers! {
    sessions_that_the_server_closed_are_replaced,
    a_session_that_ends_inside_a_write_keeps_nothing,
    writes_beyond_the_queue_are_refused_and_those_that_wait_too_long_fail,
    an_address_that_leads_nowhere_is_named_without_its_password,
    an_address_that_asks_for_tls_is_refused,
}
