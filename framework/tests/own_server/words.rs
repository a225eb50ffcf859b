//! What PostgreSQL's processes tell each other. They look all the same, so only who waits where nothing is can tell a word from a
//! look: it ends that wait. The server is the test's own, on which nobody else says anything.

use std::{sync::Arc, time::Duration};

use paravel::{
    database::{DatabaseAdmin, Db, DbError, Migrator, PgConn, Statement, TOOLKIT_MIGRATIONS},
    queue::{DatabaseDriver, Driver, Job, JobRun, Queue},
    support::{BoxError, SystemClock, WireFormat},
};
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use super::{DEADLINE, OwnServer};

/// Longer than a word takes to be said and heard. What comes later is said once more.
const A_WHILE: Duration = Duration::from_millis(200);

#[derive(Serialize, Deserialize)]
struct Tick;

impl Job for Tick {
    const NAME: &'static str = "test.words";
    type Dependencies = ();

    async fn handle(self, (): (), _: &JobRun) -> Result<(), BoxError> {
        Ok(())
    }
}

type Pg = Arc<Db<PgConn>>;

fn driver(db: &Pg) -> Arc<DatabaseDriver<PgConn>> {
    Arc::new(DatabaseDriver::new(Arc::clone(db), Arc::new(SystemClock)))
}

/// Whether whoever waits by this driver for what never comes hears each word.
async fn hears(driver: &Arc<DatabaseDriver<PgConn>>, say: impl AsyncFn()) {
    // The first may be answered since the driver begins to listen, and looks then.
    for _ in 0..2 {
        let waits = Arc::clone(driver);
        let mut wait =
            paravel::spawn(async move { waits.wait(&["nothing".to_owned()], Duration::from_secs(3600)).await });
        let heard = async {
            loop {
                say().await;
                if timeout(A_WHILE, &mut wait).await.is_ok() {
                    return;
                }
            }
        };
        timeout(DEADLINE, heard).await.expect("it does not hear of it");
    }
}

/// The sessions that listen.
async fn listeners(db: &Pg) -> Vec<i64> {
    let query = Statement::new("select pid::bigint as pid from pg_stat_activity where query ilike 'listen %'");
    db.fetch(query).await.unwrap().iter().map(|row| row.integer("pid")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_pushed_is_told_to_other_processes_also_once_the_session_that_listens_was_lost() {
    let Some(mut server) = OwnServer::new::<PgConn>() else { return };
    server.start::<PgConn>(&[]).await;
    let [own, other]: [Pg; 2] = [(); 2].map(|()| Arc::new(server.db::<PgConn>("127.0.0.1", "")));
    Migrator::new(Arc::clone(&own) as _, Arc::new(SystemClock), TOOLKIT_MIGRATIONS).migrate().await.unwrap();
    let (pushes, waits) = (driver(&own), driver(&other));
    let queue = Queue::new(Arc::clone(&pushes) as _, WireFormat::MessagePack, Arc::new(SystemClock));
    let queue = queue.within(pushes);
    let push = async || {
        queue.dispatch(Tick).await.unwrap();
    };
    hears(&waits, push).await;
    // What a transaction writes is told once it is committed.
    let app = paravel::container::ContainerBuilder::new().freeze().unwrap().scope();
    let in_a_transaction = async || {
        let queue = queue.clone();
        let write = own.write(async move |_| {
            queue.dispatch(Tick).await.unwrap();
            Ok::<_, DbError>(())
        });
        app.run(write).await.unwrap();
    };
    hears(&waits, in_a_transaction).await;
    let before = listeners(&own).await;
    assert_eq!(before.len(), 1, "who does not wait does not listen");
    own.fetch(Statement::new("select pg_terminate_backend(?::int)::text as done").bind(before[0])).await.unwrap();
    let again = async {
        while !listeners(&own).await.iter().any(|pid| !before.contains(pid)) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(DEADLINE, again).await.expect("it listens no more");
    hears(&waits, push).await;
}
