//! Facades: they find the application that runs, and say so where there is none.

use std::sync::Arc;

use paravel::{
    auth::{Argon2Hasher, AuthError, Hasher},
    config::{AppConfig, AuthConfig},
    container::{Container, ContainerBuilder, ContainerError},
    database::{Connection, Db as Database, DbError, Isolation, SqliteConn, Statement},
    events::{EventBus, EventError, ListenerEntry},
    facades::{Config, Db, Event, Gate, Hash, Log},
    support::{Env, Level, LogSink, Secret},
    testing::MemoryLog,
};

use crate::{
    database::{insert, names, with_ships},
    events::Journal,
};

const ADVICE: &str = "no application is running here: call this inside a request, a command, a listener";

fn app(name: &str) -> (Container, Arc<MemoryLog>) {
    let log = Arc::new(MemoryLog::default());
    let mut app = ContainerBuilder::new();
    app.instance(Arc::new(AppConfig::from_env(&Env::from_pairs([("APP_NAME", name)]))));
    app.instance::<dyn LogSink>(Arc::clone(&log) as _);
    (app.freeze().unwrap(), log)
}

#[tokio::test]
async fn a_facade_reaches_the_service_of_the_application_that_runs() {
    let ((one, one_log), (two, two_log)) = (app("One"), app("Two"));
    let work = |name: &'static str| async move {
        for _ in 0..10 {
            assert_eq!(Config::get::<AppConfig>().unwrap().name, name);
            tokio::task::yield_now().await;
        }
        Log::info("worked", &[("app", &name)]).unwrap();
    };
    tokio::join!(one.run(work("One")), two.run(work("Two")));
    for (log, name) in [(one_log, "One"), (two_log, "Two")] {
        let entries = log.entries();
        assert_eq!(entries.len(), 1);
        assert_eq!((entries[0].level, entries[0].field("app")), (Level::Info, Some(name)));
    }
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Sailed;

#[tokio::test]
async fn outside_any_application_each_facade_returns_the_advice() {
    let config = Config::get::<AppConfig>().unwrap_err();
    assert!(matches!(config, ContainerError::NoApplication(_)));
    let database: Result<(), DbError> = Db::<SqliteConn>::read(async |_| Ok(())).await;
    let database = database.unwrap_err();
    assert!(matches!(database, DbError::Container(ContainerError::NoApplication(_))));
    let event = Event::dispatch(Sailed).await.unwrap_err();
    assert!(matches!(event, EventError::Container(ContainerError::NoApplication(_))));
    let gate = Gate::actor().unwrap_err();
    assert!(matches!(gate, AuthError::Container(ContainerError::NoApplication(_))));
    let log = Log::info("nobody hears it", &[]).unwrap_err();
    let texts = [config.to_string(), database.to_string(), event.to_string(), gate.to_string(), log.to_string()];
    for text in texts {
        assert!(text.starts_with(ADVICE), "{text}");
    }
    assert!(!Gate::allows("anything"));
    let advice = [
        Hash::needs_rehash("plain").unwrap_err().to_string(),
        Hash::make(Secret::new(String::new())).await.unwrap_err().to_string(),
    ];
    assert!(advice.iter().all(|text| text.starts_with("no application is running here")), "{advice:?}");
}

#[tokio::test]
async fn the_facade_of_hashes_makes_and_checks_them() {
    let config = AuthConfig::from_env(&Env::from_pairs([("HASH_MEMORY_KIB", "64"), ("HASH_ITERATIONS", "1")]));
    let mut app = ContainerBuilder::new();
    app.instance::<dyn Hasher>(Arc::new(Argon2Hasher::new(&config).unwrap()));
    let app = app.freeze().unwrap();
    app.run(async {
        let secret = || Secret::new("correct horse".to_owned());
        let hash = Hash::make(secret()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=64,t=1,p=1$"), "{hash}");
        assert!(Hash::check(secret(), Some(hash.clone())).await.unwrap());
        assert!(!Hash::check(Secret::new("wrong horse".to_owned()), Some(hash.clone())).await.unwrap());
        assert!(!Hash::check(secret(), None).await.unwrap());
        assert!(!Hash::needs_rehash(&hash).unwrap() && Hash::needs_rehash("plain").unwrap());
        assert!(Hash::check(secret(), Some("plain".to_owned())).await.is_err());
    })
    .await;
}

#[tokio::test]
async fn the_facade_of_the_database_reads_and_writes() {
    let test = with_ships(&[]).await;
    let mut app = ContainerBuilder::new();
    app.instance::<Database<SqliteConn>>(Arc::clone(&test.db));
    let app = app.freeze().unwrap().scope();
    app.run(async {
        type Ships = Db<SqliteConn>;
        let write = async |c: &mut SqliteConn| insert(c, "written").await;
        Ships::write(write).await.unwrap();
        let transaction = async |c: &mut SqliteConn| insert(c, "in a transaction").await;
        Ships::transaction(transaction).await.unwrap();
        let at = async |c: &mut SqliteConn| insert(c, "at a level").await;
        Ships::transaction_at(Isolation::Serializable, at).await.unwrap();
        let undone = Ships::write(async |c| {
            insert(c, "undone").await?;
            Err::<(), _>(DbError::Closed)
        });
        assert!(matches!(undone.await, Err(DbError::Closed)));
        let count = Statement::new("select count(*) as n from ships");
        let primary = Ships::read_primary(async |c| Ok::<_, DbError>(c.fetch(&count).await?[0].integer("n")));
        assert_eq!(primary.await.unwrap(), 3);
        let replica = Ships::read(async |c| Ok::<_, DbError>(c.fetch(&count).await?[0].integer("n")));
        assert_eq!(replica.await.unwrap(), 3);
    })
    .await;
    assert_eq!(names(&test).await, ["at a level", "in a transaction", "written"]);
}

#[tokio::test]
async fn the_facade_of_events_reaches_the_listeners() {
    let heard = async |_: &Sailed, journal: Arc<Journal>| journal.add("heard");
    let mut app = ContainerBuilder::new();
    app.instance(Arc::new(Journal::default()));
    app.instance(Arc::new(EventBus::collect([ListenerEntry::of_fn(heard)])));
    let app = app.freeze().unwrap().scope();
    app.run(async { Event::dispatch(Sailed).await }).await.unwrap();
    assert_eq!(app.make::<Journal>().unwrap().lines(), ["heard"]);
}

#[tokio::test]
async fn a_facade_whose_service_is_not_bound_names_it() {
    let (app, _) = app("Bare");
    let error = app.run(async { Event::dispatch(Sailed).await }).await.unwrap_err();
    assert_eq!(error.to_string(), "nothing is bound to `EventBus`: bind it in a provider's `register`");
}
