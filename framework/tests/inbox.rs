//! What comes twice and is done once, by the application's inbox.

use std::sync::Arc;

use paravel::{
    database::{Connection, DatabaseAdmin, Db, DbError, SqliteConn, Statement},
    events::ListenerEntry,
    facades::Event,
    foundation::Application,
    queue::{Backoff, Inbox, JobRun, Queue},
    support::BoxError,
    testing::TestApp,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::events::Journal;

#[derive(Serialize, Deserialize)]
struct Paid {
    crowns: i64,
}

/// Books what was paid, and then fails the first time, as if its worker had been killed there.
async fn book(event: &Paid, db: Arc<Db<SqliteConn>>, inbox: Arc<Inbox>) -> Result<(), BoxError> {
    let run = JobRun::current().ok_or("it is queued")?;
    let (id, crowns) = (run.id().to_string(), event.crowns);
    db.write(async move |c| {
        if inbox.first(c, "book", &id).await? {
            c.run(&Statement::new(format!("insert into booked (crowns) values ({crowns})"))).await?;
        }
        Ok::<_, DbError>(())
    })
    .await?;
    if run.attempt() == 1 { Err("it was killed".into()) } else { Ok(()) }
}

#[tokio::test]
async fn a_queued_listener_that_is_tried_again_takes_effect_once() -> anyhow::Result<()> {
    let entry =
        ListenerEntry::of_fn(book).named("book").queued("default").backoff(Backoff::Fixed(std::time::Duration::ZERO));
    let builder = Application::builder().database::<SqliteConn>(&[]).listener(entry).replace(|app| {
        app.instance(Arc::new(Journal::default()));
    });
    let app = TestApp::boot(builder).await?;
    let db = app.make::<Db<SqliteConn>>()?;
    db.write(async |c| c.run(&Statement::new("create table booked (crowns integer)")).await).await?;
    for crowns in [3, 4] {
        app.run(Event::dispatch(Paid { crowns })).await?;
    }
    let queue = app.make::<Queue>()?;
    while queue.depth("default").await?.total() > 0 {
        app.work().await?;
    }
    let booked = db.fetch(Statement::new("select count(*) as times, sum(crowns) as crowns from booked")).await?;
    assert_eq!((booked[0].integer("times"), booked[0].integer("crowns")), (2, 7));
    assert!(queue.failed().await?.is_empty());

    let pruned = async |hours: &str| app.artisan(&["queue:prune-inbox", "--hours", hours, "--json"]).await;
    assert_eq!(serde_json::from_str::<serde_json::Value>(&pruned("1").await?)?, json!({"deleted": 0}));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&pruned("0").await?)?, json!({"deleted": 2}));
    Ok(())
}
