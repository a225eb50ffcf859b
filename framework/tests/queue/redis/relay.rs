//! `outbox:relay`: what transactions have left for a Redis that was down.

use std::{sync::Arc, time::Duration};

use paravel::{
    database::{Connection, Db, DbError},
    foundation::Application,
    queue::Queue,
    support::{Clock, Env, FakeClock, Timestamp},
    testing::TestApp,
};
use serde_json::{Value, json};

use crate::{
    events::Journal,
    queue::commands::Moor,
    redis::{OwnServer, until},
};

/// An application with this database, whose jobs wait in Redis.
async fn app<C: Connection>(redis: &str, clock: &Arc<FakeClock>) -> TestApp {
    let env = Env::from_pairs([("QUEUE_CONNECTION", "redis"), ("REDIS_URL", redis), ("REDIS_TIMEOUT", "10s")]);
    let clock: Arc<dyn Clock> = Arc::<FakeClock>::clone(clock);
    let builder = Application::builder().env(env).database::<C>(&[]).replace(|app| {
        app.instance(clock);
        // The listeners of other tests are in this binary.
        app.instance(Arc::new(Journal::default()));
    });
    TestApp::boot(builder).await.unwrap()
}

async fn dispatch<C: Connection>(app: &TestApp, ship: &'static str) {
    let (db, queue) = (app.make::<Db<C>>().unwrap(), app.make::<Queue>().unwrap());
    let written = db.transaction(async move |_| {
        queue.dispatch(Moor::of(ship)).await.unwrap();
        Ok::<_, DbError>(())
    });
    app.run(written).await.unwrap();
}

async fn relay(app: &TestApp) -> anyhow::Result<Value> {
    Ok(serde_json::from_str(&app.artisan(&["outbox:relay", "--json"]).await?)?)
}

async fn what_redis_was_not_there_for_is_pushed_by_the_command<C: Connection>() {
    let Some(mut server) = OwnServer::new() else { return };
    if paravel::testing::TestDatabase::create(C::BACKEND).unwrap().is_none() {
        return;
    }
    let clock = Arc::new(FakeClock::at(Timestamp::now()));
    let app = app::<C>(&server.url(), &clock).await;
    for ship in ["Dawn Treader", "Splendour Hyaline"] {
        dispatch::<C>(&app, ship).await;
    }
    let queue = app.make::<Queue>().unwrap();
    assert_eq!(relay(&app).await.unwrap(), json!([{"pushes": 0}]), "whoever wrote it may be at it");
    clock.advance(Duration::from_secs(11));
    let error = relay(&app).await.unwrap_err();
    assert!(error.to_string().starts_with("the queue could not relay its outbox: "), "{error:#}");
    server.start(&[]).await;
    until(async || queue.depths().await).await;
    clock.advance(Duration::from_secs(11));
    assert_eq!(relay(&app).await.unwrap(), json!([{"pushes": 2}]));
    assert_eq!(queue.depth("harbour").await.unwrap().ready, 2);
    // What could be pushed at once is not pushed once more.
    dispatch::<C>(&app, "Dawn Treader").await;
    clock.advance(Duration::from_secs(11));
    let text = app.artisan(&["outbox:relay"]).await.unwrap();
    assert!(text.contains("Pushes") && text.contains('0'), "{text}");
    assert_eq!(queue.depth("harbour").await.unwrap().ready, 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_redis_was_not_there_for_is_pushed_by_the_command_on_sqlite() {
    Box::pin(what_redis_was_not_there_for_is_pushed_by_the_command::<paravel::database::SqliteConn>()).await;
}

#[cfg(feature = "postgres")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_redis_was_not_there_for_is_pushed_by_the_command_on_postgres() {
    Box::pin(what_redis_was_not_there_for_is_pushed_by_the_command::<paravel::database::PgConn>()).await;
}

#[cfg(feature = "mysql")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_redis_was_not_there_for_is_pushed_by_the_command_on_mysql() {
    Box::pin(what_redis_was_not_there_for_is_pushed_by_the_command::<paravel::database::MysqlConn>()).await;
}

#[tokio::test]
async fn where_jobs_are_in_the_database_itself_there_is_no_outbox() {
    let builder = Application::builder().env(Env::default()).database::<paravel::database::SqliteConn>(&[]);
    let builder = builder.replace(|app| {
        app.instance(Arc::new(Journal::default()));
    });
    let error = TestApp::boot(builder).await.unwrap().artisan(&["outbox:relay"]).await.unwrap_err();
    let said =
        "there is no outbox: jobs wait in the application's database itself, or in this process (QUEUE_CONNECTION)";
    assert_eq!(error.to_string(), said);
}
