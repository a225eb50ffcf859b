//! What `service:list` shows of the chains, and how it measures them.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use paravel::{
    async_trait,
    config::LogConfig,
    console::{Console, Registry, parse},
    container::ContainerBuilder,
    service,
    service::{Call, Decorator, Logging, ServiceError},
    support::{Env, Level},
    tracing::subscriber,
};
use serde_json::Value;

use super::{CraneError, CraneService, Harbour, logging::Lines};

/// Counts the calls that pass it.
#[derive(Default, Clone)]
struct Counting(Arc<AtomicUsize>);

#[async_trait]
impl Decorator for Counting {
    async fn around(&self, call: &mut Call<'_>) -> Result<(), ServiceError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        call.proceed().await.map(drop)
    }
}

#[service]
trait Buoys {
    #[cached(key = "buoys:{number}", ttl = "1m")]
    #[allow(dead_code, reason = "it is measured, and that calls no service")]
    async fn light(&self, number: u8) -> Result<String, CraneError>;
}

#[service]
impl Buoys for Harbour {
    async fn light(&self, number: u8) -> Result<String, CraneError> {
        Ok(number.to_string())
    }
}

/// What `service:list` prints.
async fn listed(line: &[&str], counting: &Counting, harbour: &Arc<Harbour>) -> String {
    let mut app = ContainerBuilder::new();
    app.instance(Arc::new(LogConfig::from_env(&Env::default())));
    app.instance(Arc::new(paravel::cache::Cache::memory("buoys", 1 << 20)));
    app.instance::<dyn CraneService>(Arc::clone(harbour) as _);
    app.instance::<dyn Buoys>(Arc::clone(harbour) as _);
    app.decorate::<dyn CraneService>()
        .with(Logging::at(Level::Info))
        .with(counting.clone())
        .with(Logging::at(Level::Debug))
        .when(false);
    app.decorate::<dyn Buoys>().cached();
    let app = app.freeze().unwrap().scope();
    let line = [&["artisan", "service:list"], line].concat().into_iter().map(Into::into);
    let parsed = parse(&Registry::collect([]), line).unwrap_or_else(|_| panic!("the line is wrong"));
    let (mut console, written) = Console::memory(true);
    app.run(parsed.run(Some(&app), &mut console)).await.unwrap();
    written.text()
}

#[tokio::test]
async fn each_decorator_is_measured_by_calls_that_reach_no_service_and_no_log() {
    let (counting, harbour, lines) = (Counting::default(), Arc::default(), Lines::default());
    let log = tracing_subscriber::fmt().with_writer(lines.clone()).with_target(true).finish();
    let guard = subscriber::set_default(log);
    let measured = listed(&["--measure"], &counting, &harbour).await;
    drop(guard);
    let measured: Value = serde_json::from_str(&measured).unwrap();
    let of = |service: usize| -> Vec<_> {
        let costs = measured[service]["measured"].as_array().unwrap();
        costs.iter().map(|cost| (cost["decorator"].as_str().unwrap(), cost["nanoseconds"].is_u64())).collect()
    };
    assert_eq!(of(0), [("Cached", true)]);
    assert_eq!(of(1), [("Logging at Info", true), ("Counting", true)]);
    assert_eq!(measured[1]["left_out"][0], "Logging at Debug");
    // One of these writes to a log at least: that much it takes.
    assert!(measured[1]["measured"][0]["nanoseconds"].as_u64() > Some(0), "{measured}");
    assert!(counting.0.load(Ordering::SeqCst) >= 1000);
    assert_eq!(harbour.calls(), 0);
    assert_eq!(lines.text(), "");
}

#[tokio::test]
async fn nothing_is_called_where_nothing_is_to_be_measured() {
    let (counting, harbour) = (Counting::default(), Arc::default());
    let listed: Value = serde_json::from_str(&listed(&[], &counting, &harbour).await).unwrap();
    assert_eq!(listed[1]["chain"], serde_json::json!(["Logging at Info", "Counting"]));
    assert!(listed[1].get("measured").is_none());
    assert_eq!(counting.0.load(Ordering::SeqCst), 0);
}
