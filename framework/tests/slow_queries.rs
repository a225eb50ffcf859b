//! Slow queries as events: who hears of them, and that hearing of one leads to no other.

use std::{sync::Arc, time::Duration};

use paravel::{
    config::{AppConfig, DatabaseConfig},
    container::{Container, ContainerBuilder},
    database::{Db, DbError, Fingerprint, SlowQuery, SqliteConn},
    events::{EventBus, ListenerEntry},
    support::{Env, SignalSink},
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::database::{TestDb, insert, names, with_ships};

type Heard = UnboundedReceiver<SlowQuery>;

/// An application whose every query is slow, and that listens.
fn app(db: &TestDb, listener: ListenerEntry) -> (Container, Heard) {
    let (sender, heard) = unbounded_channel();
    let env = Env::from_pairs([("DB_SLOW_QUERY", "0ms")]);
    let mut app = ContainerBuilder::new();
    app.instance(Arc::new(AppConfig::from_env(&env)));
    app.instance(Arc::new(DatabaseConfig::from_env(&env)));
    app.instance(Arc::new(sender));
    app.instance(Arc::clone(&db.db));
    app.instance::<dyn SignalSink>(Arc::new(EventBus::collect([listener])));
    (app.freeze().unwrap().scope(), heard)
}

/// Passes on what it hears, after a query of its own.
fn passing_on() -> ListenerEntry {
    ListenerEntry::of_fn(async |event: &SlowQuery, db: Arc<Db<SqliteConn>>, heard: Arc<UnboundedSender<SlowQuery>>| {
        names(&db).await;
        heard.send(event.clone())
    })
}

#[tokio::test]
async fn a_slow_query_is_an_event_once_and_what_its_listener_asks_is_none() {
    let db = with_ships(&[]).await;
    let (app, mut heard) = app(&db, passing_on());
    app.run(async { names(&db).await }).await;
    let slow = heard.recv().await.unwrap();
    assert!(slow.sql.starts_with("SELECT `ships`.`name` FROM `ships`"), "{slow:?}");
    assert_eq!(slow.fingerprint, Fingerprint::of(&slow.sql).to_string());
    assert!(slow.elapsed > Duration::ZERO);
    assert!(slow.source.as_ref().unwrap().contains("tests/database.rs:"), "{slow:?}");
    // Whatever its own query could have given rise to would be here before what follows.
    app.run(async { names(&db).await }).await;
    assert_eq!(heard.recv().await.unwrap().sql, slow.sql);
    app.run(async { tokio::time::sleep(Duration::from_millis(20)).await }).await;
    assert!(heard.try_recv().is_err());
}

#[tokio::test]
async fn one_in_a_transaction_that_is_rolled_back_is_heard_of_and_its_listener_may_ask_the_database() {
    let db = with_ships(&[]).await;
    let (app, mut heard) = app(&db, passing_on());
    let failed = app.run(db.write(async |c| {
        insert(c, "Dawn Treader").await?;
        Err::<(), _>(DbError::Closed)
    }));
    failed.await.unwrap_err();
    assert!(heard.recv().await.unwrap().sql.starts_with("INSERT INTO `ships`"));
    assert!(names(&db).await.is_empty());
}

#[tokio::test]
async fn a_listener_that_fails_is_no_trouble_to_the_query() {
    let db = with_ships(&[]).await;
    let failing = ListenerEntry::of_fn(async |event: &SlowQuery, heard: Arc<UnboundedSender<SlowQuery>>| {
        heard.send(event.clone()).unwrap();
        if true {
            panic!("overboard")
        }
    });
    let (app, mut heard) = app(&db, failing);
    assert!(app.run(async { names(&db).await }).await.is_empty());
    heard.recv().await.unwrap();
    assert!(app.run(async { names(&db).await }).await.is_empty());
}
