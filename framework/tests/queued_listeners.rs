//! Listeners that run as jobs of the queue.

use std::{sync::Arc, time::Duration};

use paravel::{
    container::GraphFault,
    database::{Connection, Db, DbError, SqliteConn},
    events::{AnyEvent, EventBus, ListenerEntry},
    facades::Event,
    foundation::Application,
    listener,
    queue::{Backoff, Jobs, Queue},
    support::{BoxError, Env},
    testing::{TestApp, TestDatabase, external_server},
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};

use crate::events::Journal;

#[derive(Serialize, Deserialize)]
struct Wrecked {
    ship: String,
}

/// What listeners heard.
#[derive(Default)]
struct Log(Mutex<Vec<String>>);

fn wrecked(ship: &str) -> Wrecked {
    Wrecked { ship: ship.to_owned() }
}

#[listener(name = "boats", queue = "rescue", tries = 2, backoff = ["1ms"], timeout = "5s", priority = 10)]
async fn launch_boats(event: &Wrecked, log: Option<Arc<Log>>) -> Result<(), BoxError> {
    let log = log.ok_or("nothing is logged here")?;
    let mut log = log.0.lock();
    log.push(format!("boats for {}", event.ship));
    if event.ship == "Dawn Treader" && log.len() < 3 { Err("no crew yet".into()) } else { Ok(()) }
}

#[listener]
async fn ring_bell(event: &Wrecked, log: Option<Arc<Log>>) {
    let Some(log) = log else { return };
    log.0.lock().push(format!("bell for {}", event.ship));
}

async fn boot() -> TestApp {
    boot_on::<SqliteConn>("database").await.unwrap()
}

/// An application with this database, whose jobs wait there or in Redis; `None` where there is no server for that.
async fn boot_on<C: Connection>(connection: &str) -> Option<TestApp> {
    let there_is_redis = connection != "redis" || external_server("TEST_REDIS_URL").is_some();
    if !there_is_redis || TestDatabase::create(C::BACKEND).unwrap().is_none() {
        return None;
    }
    let env = Env::from_pairs([("QUEUE_CONNECTION", connection)]);
    let builder = Application::builder().env(env).database::<C>(&[]).replace(|app| {
        app.instance(Arc::new(Log::default()));
        // Of others in this binary.
        app.instance(Arc::new(Journal::default()));
    });
    Some(TestApp::boot(builder).await.unwrap())
}

fn heard(app: &TestApp) -> Vec<String> {
    app.make::<Log>().unwrap().0.lock().clone()
}

#[tokio::test]
async fn a_queued_listener_runs_as_a_job_until_it_works() {
    let app = boot().await;
    app.run(Event::dispatch(wrecked("Dawn Treader"))).await.unwrap();
    assert_eq!(heard(&app), ["bell for Dawn Treader"]);
    let queue = app.make::<Queue>().unwrap();
    assert_eq!(queue.depth("rescue").await.unwrap().total(), 1);
    while queue.depth("rescue").await.unwrap().total() > 0 {
        app.work().await.unwrap();
    }
    assert_eq!(heard(&app), ["bell for Dawn Treader", "boats for Dawn Treader", "boats for Dawn Treader"]);
    assert!(queue.failed().await.unwrap().is_empty());
}

async fn a_queued_listener_is_part_of_the_transaction<C: Connection>(connection: &str) {
    let Some(app) = boot_on::<C>(connection).await else { return };
    let (queue, db) = (app.make::<Queue>().unwrap(), app.make::<Db<C>>().unwrap());
    for commits in [false, true] {
        let outside = Queue::clone(&queue);
        let write = db.write(async move |_| {
            Event::dispatch(wrecked("Albatross")).await.unwrap();
            // From outside: inside, the database is not to be asked but by the transaction itself.
            let depth = paravel::spawn(async move { outside.depth("rescue").await.unwrap().total() });
            assert_eq!(depth.await.unwrap(), 0, "before the commit nobody sees it");
            if commits { Ok(()) } else { Err(DbError::Closed) }
        });
        assert_eq!(app.run(write).await.is_ok(), commits);
        assert_eq!(queue.depth("rescue").await.unwrap().total(), u64::from(commits));
    }
    app.work().await.unwrap();
    assert_eq!(heard(&app), ["bell for Albatross", "boats for Albatross"]);
}

/// Where there is the application's database, and where its jobs wait.
macro_rules! on_each {
    ($($name:ident: $connection:ty, $queue:literal;)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            super::a_queued_listener_is_part_of_the_transaction::<$connection>($queue).await;
        })*
    };
}

mod transactions {
    on_each! {
        sqlite: paravel::database::SqliteConn, "database";
    }
    #[cfg(feature = "postgres")]
    on_each! {
        postgres: paravel::database::PgConn, "database";
    }
    #[cfg(feature = "mysql")]
    on_each! {
        mysql: paravel::database::MysqlConn, "database";
    }
    #[cfg(feature = "redis")]
    on_each! {
        sqlite_and_redis: paravel::database::SqliteConn, "redis";
    }
    #[cfg(all(feature = "redis", feature = "postgres"))]
    on_each! {
        postgres_and_redis: paravel::database::PgConn, "redis";
    }
    #[cfg(all(feature = "redis", feature = "mysql"))]
    on_each! {
        mysql_and_redis: paravel::database::MysqlConn, "redis";
    }
}

#[listener(queue = "rescue", after_commit = false)]
async fn look_out(_: &Sighted) {}

#[listener]
async fn point(event: &Sighted, log: Option<Arc<Log>>) {
    let Some(log) = log else { return };
    log.0.lock().push(format!("{} bells", event.bells));
}

#[derive(Serialize, Deserialize)]
struct Sighted {
    bells: u32,
}

#[tokio::test]
async fn what_does_not_wait_for_the_commit_is_queued_whatever_becomes_of_it() {
    let app = boot().await;
    let queue = app.make::<Queue>().unwrap();
    let db = app.make::<Db<SqliteConn>>().unwrap();
    for (count, commits) in [(1, false), (2, true)] {
        let write = db.write(async move |_| {
            Event::dispatch(Sighted { bells: count }).await.unwrap();
            if commits { Ok(()) } else { Err(DbError::Closed) }
        });
        assert_eq!(app.run(write).await.is_ok(), commits);
        // What is rolled back is not waited for.
        while queue.depth("rescue").await.unwrap().total() < u64::from(count) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    assert_eq!(heard(&app), ["2 bells"]);
}

#[tokio::test]
async fn an_event_that_this_build_cannot_read_is_found() {
    let app = boot().await;
    let queue = app.make::<Queue>().unwrap();
    app.run(Event::dispatch(wrecked("Albatross"))).await.unwrap();
    assert!(app.artisan(&["queue:check"]).await.unwrap().ends_with("1 job(s) can be read.\n"));
    let admin = queue.driver().admin();
    let mut message = admin.peek("rescue", None).await.unwrap().messages.remove(0);
    // As another release might have called it.
    let place = message.payload.windows(4).position(|bytes| bytes == b"ship").unwrap();
    let mut payload = message.payload.to_vec();
    payload[place..place + 4].copy_from_slice(b"hull");
    message.payload = payload.into();
    queue.driver().push(vec![message].into()).await.unwrap();
    let said = app.artisan(&["queue:check"]).await.unwrap_err().to_string();
    assert!(said.starts_with("1 stored job(s) cannot be read by this build"), "{said}");
}

#[tokio::test]
async fn what_is_faked_is_not_queued() {
    let app = boot().await;
    let events = app.fake_events().unwrap();
    app.run(Event::dispatch(wrecked("Albatross"))).await.unwrap();
    events.assert_dispatched::<Wrecked>(|event| event.ship == "Albatross");
    assert_eq!(app.make::<Queue>().unwrap().depth("rescue").await.unwrap().total(), 0);
}

#[tokio::test]
async fn the_list_of_listeners_says_where_each_runs() {
    let app = boot().await;
    let list = app.artisan(&["event:list"]).await.unwrap();
    let line =
        |name: &str| list.lines().find(|line| line.contains(name)).unwrap_or_else(|| panic!("{list}")).to_owned();
    assert!(line("boats").contains("queue rescue"), "{list}");
    assert!(line("ring_bell").contains("sync"), "{list}");
}

#[tokio::test]
async fn a_queued_listener_is_found_by_its_own_name() {
    let app = boot().await;
    app.run(Event::dispatch(wrecked("Albatross"))).await.unwrap();
    let queue = app.make::<Queue>().unwrap();
    let stored = queue.driver().admin().peek("rescue", None).await.unwrap().messages;
    let kinds: Vec<_> = stored.iter().map(|message| &*message.kind).collect();
    assert_eq!(kinds, ["listener:Wrecked:boats"]);
}

#[test]
fn a_closure_that_is_queued_has_a_name_that_stays() {
    let closure = || ListenerEntry::of_fn(async |_: &Wrecked| {});
    let faults = |entry| EventBus::collect([entry]).faults();
    assert_eq!(faults(closure()), []);
    assert_eq!(faults(closure().queued("default").named("note")), []);
    let said = faults(closure().queued("default"));
    assert!(
        matches!(&said[..], [GraphFault::Listener { listener, reason }]
            if listener.contains("queued_listeners.rs:") && reason.ends_with("give it one that stays by `.named(..)`")),
        "{said:?}"
    );
}

#[test]
fn of_two_jobs_of_one_name_it_is_said_what_to_do() {
    mod elsewhere {
        #[derive(serde::Serialize, serde::Deserialize)]
        pub struct Wrecked;
    }
    let here = ListenerEntry::of_fn(async |_: &Wrecked| {}).named("note").queued("default");
    let there = ListenerEntry::of_fn(async |_: &elsewhere::Wrecked| {}).named("note").queued("default");
    let bus = EventBus::collect([here, there]);
    assert_eq!(bus.faults(), []);
    let faults: Vec<_> = Jobs::collect(bus.jobs()).faults().iter().map(ToString::to_string).collect();
    let said = "duplicate: two jobs are called `listener:Wrecked:note`: give one of them another name, by `name = \"..\"` in its \
                `#[job(..)]` or `#[listener(..)]`";
    assert_eq!(faults, [said]);
}

#[tokio::test]
async fn a_queued_listener_may_wait_before_it_runs() {
    let later =
        ListenerEntry::of_fn(async |_: &Wrecked| {}).named("later").queued("late").delay(Duration::from_secs(3600));
    let builder = Application::builder().listener(later).replace(|app| {
        app.instance(Arc::new(Journal::default()));
    });
    let app = TestApp::boot(builder).await.unwrap();
    app.run(Event::dispatch(wrecked("Albatross"))).await.unwrap();
    let depth = app.make::<Queue>().unwrap().depth("late").await.unwrap();
    assert_eq!((depth.ready, depth.scheduled), (0, 1));
}

#[tokio::test]
async fn a_listener_of_all_events_cannot_be_queued() {
    let entry = ListenerEntry::of_fn(async |_: &AnyEvent| {}).named("all");
    let entry = entry.queued("default").backoff(Backoff::Fixed(Duration::ZERO)).delay(Duration::ZERO);
    let faults = EventBus::collect([entry]).faults();
    assert!(
        faults.iter().any(|fault| matches!(fault, GraphFault::Listener { listener, reason }
            if listener == "all" && reason.contains("cannot wait in a queue"))),
        "{faults:?}"
    );
}
