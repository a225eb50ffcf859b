//! Facades: they find the application that runs, and say so where there is none.

use std::sync::Arc;

use paravel::{
    auth::AuthError,
    config::AppConfig,
    container::{Container, ContainerBuilder, ContainerError},
    database::{DbError, SqliteConn},
    events::EventError,
    facades::{Config, Db, Event, Gate, Log},
    support::{Env, Level, LogSink},
    testing::MemoryLog,
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
}

#[tokio::test]
async fn a_facade_whose_service_is_not_bound_names_it() {
    let (app, _) = app("Bare");
    let error = app.run(async { Event::dispatch(Sailed).await }).await.unwrap_err();
    assert_eq!(error.to_string(), "nothing is bound to `EventBus`: bind it in a provider's `register`");
}
