//! What a listener of the toolkit's own events gives rise to: jobs, which raise none of these again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use paravel::{
    database::{DatabaseAdmin, SlowQuery, SqliteConn, Statement},
    events::ListenerEntry,
    foundation::{Application, ApplicationBuilder},
    queue::{Job, JobFailed, JobRun, Queue},
    support::BoxError,
    testing::TestApp,
};
use serde::{Deserialize, Serialize};
use tokio::time::{sleep, timeout};

use crate::events::Journal;

/// Takes longer than `DB_SLOW_QUERY` on any machine.
const SLOW: &str =
    "with recursive n(n) as (select 1 union all select n + 1 from n where n < 3000000) select count(*) as n from n";

/// Fails, as whoever tells of it does, since nothing can be sent.
#[derive(Serialize, Deserialize)]
struct Send;

impl Job for Send {
    const NAME: &'static str = "mail.send";
    const TRIES: u32 = 1;
    type Dependencies = ();

    async fn handle(self, (): (), _: &JobRun) -> Result<(), BoxError> {
        Err("the server is down".into())
    }
}

async fn boot(builder: ApplicationBuilder) -> TestApp {
    let builder = builder.job::<Send>().replace(|app| {
        app.instance(Arc::new(Journal::default()));
        app.instance(Arc::new(AtomicUsize::new(0)));
    });
    TestApp::boot(builder).await.unwrap()
}

/// How many jobs have failed once two have, and others would have too.
async fn failed(app: &TestApp) -> usize {
    let queue = app.make::<Queue>().unwrap();
    queue.dispatch(Send).await.unwrap();
    let failed = async || {
        app.work().await.unwrap();
        queue.failed().await.unwrap().len()
    };
    let two = async {
        while failed().await < 2 {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(60), two).await.unwrap();
    // The listeners of what the second one raised would have been told by now, and what they dispatched would have run.
    for _ in 0..10 {
        sleep(Duration::from_millis(20)).await;
        failed().await;
    }
    failed().await
}

#[tokio::test]
async fn a_queued_listener_of_failures_that_fails_is_not_told_of_itself() {
    let tells = ListenerEntry::of_fn(async |_: &JobFailed| Err::<(), BoxError>("the server is down".into()));
    let app = boot(Application::builder().listener(tells.named("tells").queued("default").tries(1))).await;
    assert_eq!(failed(&app).await, 2);
}

#[tokio::test]
async fn nor_is_a_listener_of_failures_told_of_a_job_that_it_dispatched() {
    let dispatches = async |_: &JobFailed, queue: Arc<Queue>| queue.dispatch(Send).await.map(drop);
    let app = boot(Application::builder().listen(dispatches)).await;
    assert_eq!(failed(&app).await, 2);
}

#[tokio::test]
async fn a_slow_query_of_a_queued_listener_of_slow_queries_is_not_told_of() {
    let asks = async |_: &SlowQuery, db: Arc<dyn DatabaseAdmin>, heard: Arc<AtomicUsize>| {
        heard.fetch_add(1, SeqCst);
        // As slow as the one that it was told of.
        db.fetch(Statement::new(SLOW)).await.map(drop)
    };
    let entry = ListenerEntry::of_fn(asks).named("asks").queued("slow");
    let mut builder = Application::builder().database::<SqliteConn>(&[]).listener(entry);
    builder.env_mut().set("DB_SLOW_QUERY", "50ms");
    // Not in the database, whose writes by the queue itself may be slow too.
    builder.env_mut().set("QUEUE_CONNECTION", "memory");
    let app = boot(builder).await;
    let queue = app.make::<Queue>().unwrap();
    let db = app.make::<paravel::database::Db<SqliteConn>>().unwrap();
    app.run(db.fetch(Statement::new(SLOW))).await.unwrap();
    let heard = app.make::<AtomicUsize>().unwrap();
    let told = async {
        while heard.load(SeqCst) == 0 {
            app.work().await.unwrap();
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(Duration::from_secs(60), told).await.unwrap();
    for _ in 0..10 {
        sleep(Duration::from_millis(20)).await;
        app.work().await.unwrap();
    }
    assert_eq!((heard.load(SeqCst), queue.depth("slow").await.unwrap().total()), (1, 0));
}
