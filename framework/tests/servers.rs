//! The backends that are servers: lost connections, overload, and addresses that lead nowhere.

use std::{sync::Arc, time::Duration};

use paravel::{
    config::QueueConfig,
    container::ContainerBuilder,
    database::{Connection, DatabaseAdmin, Db, DbError, Statement, TlsFault, from_primary},
    events::{EventBus, ListenerEntry},
    queue::{Jobs, MemoryDriver, Queue, Worker, WorkerLimits},
    support::{Env, SystemClock, WireFormat},
};
use tokio::sync::{mpsc, oneshot};

use crate::{
    conformance::{add, empty, insert, names, with_ships},
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
    // Whoever comes as the session ends, which may be a while after it was told to, is told; and nobody else.
    let (mut done, mut told) = (0, Vec::new());
    for turn in 0..20 {
        match add(&db, &format!("{turn:02}")).await {
            Ok(()) => done += 1,
            Err(error) => told.push(error.to_string()),
        }
    }
    assert!(told.len() <= 1, "{told:?}");
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
    let settings = [("DB_WRITERS", "1"), ("DB_WRITE_QUEUE", "2"), ("DB_ACQUIRE_TIMEOUT", "1s")];
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
        assert!(matches!(waited, Err(DbError::AcquireTimeout { waited }) if waited == Duration::from_secs(1)));
        assert!(matches!(refused, Err(DbError::Overloaded { waiting: 2 })));
    };
    let (held, ()) = tokio::join!(holder, others);
    held.unwrap();
    add(&db, "fourth").await.unwrap();
    assert_eq!(names(&db).await, ["first", "fourth"]);
}

async fn an_address_that_leads_nowhere_is_named_without_its_password<C: Connection>() {
    // Nothing listens on the discard port.
    for query in ["", "?password=hunter22"] {
        let url = format!("{}://somebody:hunter22@127.0.0.1:9/app{query}", C::BACKEND);
        let error = Db::<C>::new(config(&url, &[])).unwrap().connect().await.unwrap_err();
        // MySQL's driver does not know the parameter.
        let known = query.is_empty() || C::BACKEND == "postgres";
        assert!(matches!(error, DbError::Unreachable { .. }) == known && error.is_transient() == known, "{error:?}");
        let text = error.to_string();
        assert!(text.contains("[redacted]@127.0.0.1:9/app") && !text.contains("hunter22"), "{text}");
    }
}

async fn an_address_that_asks_for_tls_by_halves_is_refused<C: Connection>() {
    for option in ["sslmode=prefer", "ssl-mode=PREFERRED", "verify_identity=false"] {
        let url = format!("{}://somebody@127.0.0.1:9/app?{option}", C::BACKEND);
        let error = Db::<C>::new(config(&url, &[])).unwrap().connect().await.unwrap_err();
        assert!(matches!(error, DbError::Tls { fault: TlsFault::Mode { .. }, .. }), "{error:?}");
        assert!(error.to_string().contains(option) && !error.is_transient(), "{error}");
    }
}

/// A second database, which is not the first one's copy, so that it shows who was asked.
async fn reads_are_the_replicas_until_something_was_written<C: Connection>() {
    let Some(replica) = with_ships::<C>(&[]).await else { return };
    add(&replica, "stale").await.unwrap();
    let Some(primary) = with_ships::<C>(&[]).await else { return };
    add(&primary, "fresh").await.unwrap();
    let urls = [("DB_READ_URL", replica.config().url.expose())];
    let db = Db::<C>::new(config(primary.config().url.expose(), &urls)).unwrap();
    db.connect().await.unwrap();
    let app = ContainerBuilder::new().freeze().unwrap();
    app.scope()
        .run(async {
            assert_eq!(names(&db).await, ["stale"]);
            let latest = Statement::new("select name from ships");
            let fresh = db.read_primary(async |c| Ok::<_, DbError>(c.fetch(&latest).await?)).await.unwrap();
            assert_eq!(fresh[0].text("name"), "fresh");
            assert_eq!(from_primary(names(&db)).await, ["fresh"], "as what is cached is read");
            assert_eq!(names(&db).await, ["stale"], "a read of the primary is no write");
            let failed = db.write(async |_| Err::<(), _>(DbError::Closed)).await;
            assert!(failed.is_err());
            assert_eq!(names(&db).await, ["stale"], "nor is a write that was rolled back");
            add(&db, "new").await.unwrap();
            assert_eq!(names(&db).await, ["fresh", "new"]);
        })
        .await;
    app.scope().run(async { assert_eq!(names(&db).await, ["stale"]) }).await;
    assert_eq!(names(&db).await, ["stale"]);
    let written = db.read(async |c| insert(c, "x").await).await;
    assert!(written.is_err(), "a replica's sessions are read-only");

    let load = db.load();
    assert!(load.replica.is_some_and(|replica| replica.open == 1 && replica.in_use == 0), "{load:?}");
    let info = db.info().await.unwrap();
    assert_eq!(info.read_url, db.config().read_url.as_ref().map(ToString::to_string));
    assert_eq!(info.tables["ships"], 2, "the console asks the primary");
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Launched;

/// What it is about was perhaps committed a moment ago.
async fn a_job_reads_from_the_primary<C: Connection>() {
    let Some(replica) = with_ships::<C>(&[]).await else { return };
    add(&replica, "stale").await.unwrap();
    let Some(primary) = with_ships::<C>(&[]).await else { return };
    add(&primary, "fresh").await.unwrap();
    let urls = [("DB_READ_URL", replica.config().url.expose())];
    let db = Arc::new(Db::<C>::new(config(primary.config().url.expose(), &urls)).unwrap());
    db.connect().await.unwrap();
    let (tell, mut told) = mpsc::unbounded_channel::<Vec<String>>();
    let looks =
        async |_: &Launched, db: Arc<Db<C>>, tell: Arc<mpsc::UnboundedSender<Vec<String>>>| tell.send(names(&db).await);
    let bus = Arc::new(EventBus::collect([ListenerEntry::of_fn(looks).named("looks").queued("default")]));
    let jobs = Arc::new(Jobs::collect(bus.jobs()));
    let driver = Arc::new(MemoryDriver::new(Arc::new(SystemClock)));
    let queue = Queue::new(driver, WireFormat::MessagePack, Arc::new(SystemClock));
    let mut app = ContainerBuilder::new();
    app.instance(Arc::clone(&db));
    app.instance(Arc::new(tell));
    app.instance(Arc::new(queue.clone()));
    let app = app.freeze().unwrap();
    app.scope().run(bus.dispatch(Launched)).await.unwrap();
    let limits = WorkerLimits { when_empty: true, ..WorkerLimits::default() };
    let config = QueueConfig::from_env(&Env::default());
    Worker::new(queue, jobs, &config, app, ["default"]).limits(limits).run(std::future::pending()).await;
    assert_eq!(told.recv().await.unwrap(), ["fresh"]);
}

async fn a_replica_that_is_none_is_refused_at_start<C: Connection>() {
    let Some(own) = empty::<C>(&[]).await else { return };
    let nowhere = format!("{}://somebody:hunter22@127.0.0.1:9/app", C::BACKEND);
    let db = Db::<C>::new(config(own.config().url.expose(), &[("DB_READ_URL", &nowhere)])).unwrap();
    let error = db.connect().await.unwrap_err();
    assert!(matches!(error, DbError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("127.0.0.1:9/app") && !error.to_string().contains("hunter22"), "{error}");
    let other = config(own.config().url.expose(), &[("DB_READ_URL", "sqlite://replica.sqlite")]);
    let error = Db::<C>::new(other).unwrap_err();
    assert!(matches!(error, DbError::ReplicaScheme { .. }), "{error:?}");
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
    an_address_that_asks_for_tls_by_halves_is_refused,
    reads_are_the_replicas_until_something_was_written,
    a_job_reads_from_the_primary,
    a_replica_that_is_none_is_refused_at_start,
}
