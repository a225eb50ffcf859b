//! Alerts: when one is raised, when it is not, and who hears of it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use paravel::{
    cache::{Cache, CacheError, Caches, Stores},
    config::{AlertConfig, CacheConfig},
    container::{Container, ContainerBuilder, ContainerError},
    database::SqliteConn,
    events::{EventBus, ListenerEntry, Monitor},
    foundation::Application,
    service,
    service::{Decorator, Metrics},
    support::{Alert, Clock, Env, Gauge, Measure, Metric, Reading, Severity, SignalSink, SystemClock},
    testing::TestApp,
    tracing::subscriber,
};
use parking_lot::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::{events::Journal, services::logging::Lines};

/// Says what it was set to say.
#[derive(Default)]
struct Dial(Mutex<Vec<Reading>>);

impl Dial {
    fn set(&self, metric: Metric, subject: &str, current: Measure) {
        *self.0.lock() = vec![Reading::new(metric, subject, current)];
    }
}

impl Gauge for Dial {
    fn read(&self) -> Vec<Reading> {
        self.0.lock().clone()
    }
}

fn config(pairs: &[(&str, &str)]) -> Arc<AlertConfig> {
    let env = Env::from_pairs(pairs.iter().copied());
    let config = AlertConfig::from_env(&env);
    env.check().unwrap();
    Arc::new(config)
}

fn monitor(gauges: Vec<Arc<dyn Gauge>>) -> Monitor {
    Monitor::new(gauges, config(&[]), Arc::new(EventBus::collect([])))
}

/// Metric, severity, bound and value of what a look raises.
fn raised(monitor: &Monitor) -> Vec<(Metric, Severity, f64, f64)> {
    let alerts = monitor.check().into_iter();
    alerts.map(|alert| (alert.metric, alert.severity, alert.threshold, alert.current)).collect()
}

/// The mean of what happened since the process began, in sum and number.
fn mean(sum: f64, count: u64) -> Measure {
    Measure::Mean { sum, count }
}

#[test]
fn a_bound_that_is_crossed_is_an_alert_once_and_again_after_it_has_recovered() {
    let dial = Arc::new(Dial::default());
    let monitor = monitor(vec![Arc::clone(&dial) as _]);
    let at = |percent: f64| {
        dial.set(Metric::CacheMemory, "default", Measure::Now(percent));
        raised(&monitor)
    };
    assert_eq!(at(80.0), []);
    assert_eq!(at(80.5), [(Metric::CacheMemory, Severity::Warning, 80.0, 80.5)]);
    assert_eq!(at(85.0), []);
    assert_eq!(at(99.0), [(Metric::CacheMemory, Severity::Critical, 80.0, 99.0)], "it has become worse");
    assert_eq!(at(85.0), []);
    assert_eq!(at(99.0), [], "it has been told of");
    assert_eq!(at(79.0), []);
    assert_eq!(at(95.0), [(Metric::CacheMemory, Severity::Critical, 80.0, 95.0)]);
}

#[test]
fn of_two_that_are_measured_alike_each_has_its_own_alerts() {
    let dial = Arc::new(Dial::default());
    let monitor = monitor(vec![Arc::clone(&dial) as _]);
    let full = |name: &str, percent| Reading::new(Metric::CacheMemory, name, Measure::Now(percent));
    *dial.0.lock() = vec![full("pages", 90.0), full("sessions", 10.0)];
    assert_eq!(monitor.check()[0].subject, "pages");
    *dial.0.lock() = vec![full("pages", 90.0), full("sessions", 90.0)];
    let alerts = monitor.check();
    assert_eq!((alerts.len(), alerts[0].subject.as_str()), (1, "sessions"));
}

#[test]
fn what_happened_since_the_last_look_counts_and_little_of_it_does_not() {
    let dial = Arc::new(Dial::default());
    let monitor = monitor(vec![Arc::clone(&dial) as _]);
    let method = |milliseconds: f64, calls| {
        dial.set(Metric::ServiceMethod, "Ships::sail", mean(milliseconds, calls));
        raised(&monitor)
    };
    assert_eq!(method(19_000.0, 19), [], "19 calls of a second each");
    assert_eq!(method(20_000.0, 20), [(Metric::ServiceMethod, Severity::Warning, 100.0, 1000.0)]);
    // 100 calls of 1 ms: the mean of all 120 is still far above the bound.
    assert_eq!(method(20_100.0, 120), []);
    // What is too little by itself is not lost: 10 and 10 calls of 2 s.
    assert_eq!(method(40_100.0, 130), []);
    assert_eq!(method(60_100.0, 140), [(Metric::ServiceMethod, Severity::Critical, 100.0, 2000.0)]);
    // A gauge that counts anew is looked at from there.
    assert_eq!(method(10.0, 10), []);
    assert_eq!(method(40.0, 40), []);
    assert_eq!(method(40_040.0, 80), [(Metric::ServiceMethod, Severity::Warning, 100.0, 1000.0)]);
}

#[test]
fn the_bounds_are_configured() {
    let dial = Arc::new(Dial::default());
    dial.set(Metric::CacheHitRate, "default", Measure::Now(60.0));
    let config = config(&[("ALERT_CACHE_HIT_RATE", "50")]);
    let quiet = Monitor::new(vec![Arc::clone(&dial) as _], config, Arc::new(EventBus::collect([])));
    assert_eq!(raised(&quiet), []);
    let alert = &monitor(vec![dial]).check()[0];
    assert_eq!(
        alert.message,
        "`default` finds too few of the values it is asked for: 60.0 %, where 70.0 % is the bound"
    );

    let env = Env::from_pairs([
        ("ALERT_CACHE_HIT_RATE", "101"),
        ("ALERT_CACHE_MEMORY", "-1"),
        ("ALERT_CACHE_LATENCY", "0s"),
        ("ALERT_SERVICE_METHOD", "fast"),
        ("ALERT_INTERVAL", "2d"),
    ]);
    AlertConfig::from_env(&env);
    assert_eq!(env.check().unwrap_err().0.len(), 5);
}

#[test]
fn an_alert_is_logged_by_its_severity_with_its_numbers() {
    let dial = Arc::new(Dial::default());
    let monitor = monitor(vec![Arc::clone(&dial) as _]);
    let lines = Lines::default();
    let log = tracing_subscriber::fmt().with_writer(lines.clone()).with_ansi(false).finish();
    subscriber::with_default(log, || {
        for (percent, name) in [(85.0, "pages"), (99.0, "sessions")] {
            dial.set(Metric::CacheMemory, name, Measure::Now(percent));
            monitor.check();
        }
        dial.set(Metric::CacheMemory, "pages", Measure::Now(5.0));
        monitor.check();
    });
    let text = lines.text();
    let logged: Vec<_> = text.lines().collect();
    assert_eq!(logged.len(), 3, "{text}");
    assert!(logged[0].contains(" WARN ") && logged[0].contains("metric=\"cache.memory\" subject=\"pages\""), "{text}");
    assert!(logged[0].contains("threshold=80.0 current=85.0"), "{text}");
    assert!(logged[1].contains("ERROR ") && logged[1].contains("sessions"), "{text}");
    assert!(logged[2].contains(" INFO ") && logged[2].contains("recovered"), "{text}");
}

/// An application whose listener of alerts passes them on.
fn listening(more: impl FnOnce(&mut ContainerBuilder)) -> (Container, UnboundedReceiver<Alert>) {
    let (sender, heard) = unbounded_channel();
    let mut app = ContainerBuilder::new();
    app.instance(Arc::new(sender));
    app.instance::<dyn SignalSink>(Arc::new(EventBus::collect([passing_on()])));
    more(&mut app);
    (app.freeze().unwrap().scope(), heard)
}

fn passing_on() -> ListenerEntry {
    // Of an application whose test does not listen, nobody takes it.
    ListenerEntry::of_fn(async |event: &Alert, heard: Option<Arc<UnboundedSender<Alert>>>| match heard {
        Some(heard) => heard.send(event.clone()),
        None => Ok(()),
    })
}

#[tokio::test(start_paused = true)]
async fn listeners_hear_of_it_at_the_next_look() {
    let dial = Arc::new(Dial::default());
    let (app, mut heard) = listening(|_| {});
    let gauges: Vec<Arc<dyn Gauge>> = vec![Arc::clone(&dial) as _];
    let monitor = Monitor::new(gauges, config(&[("ALERT_INTERVAL", "5m")]), app.make().unwrap());
    let began = tokio::time::Instant::now();
    dial.set(Metric::CacheLatency, "default", Measure::Now(2.5));
    let alert = app.run(async {
        tokio::select! {
            () = monitor.run() => panic!("it looks no more"),
            alert = heard.recv() => alert.unwrap(),
        }
    });
    let alert = alert.await;
    assert_eq!((alert.metric, alert.threshold, alert.current), (Metric::CacheLatency, 1.0, 2.5));
    assert_eq!(began.elapsed(), Duration::from_secs(300));
}

#[tokio::test(start_paused = true)]
async fn without_an_interval_nobody_looks() {
    let dial = Arc::new(Dial::default());
    dial.set(Metric::CacheLatency, "default", Measure::Now(2.5));
    let monitor = Monitor::new(vec![dial], config(&[("ALERT_INTERVAL", "0s")]), Arc::new(EventBus::collect([])));
    monitor.run().await;
    assert_eq!(raised(&monitor).len(), 1, "nothing had looked before");
}

#[tokio::test]
async fn caches_say_how_many_reads_find_something_and_how_much_room_is_taken() {
    let env = Env::from_pairs([("CACHE_MEMORY", "1048576")]);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let caches = Arc::new(Caches::from_config(&CacheConfig::from_env(&env), &Stores::default(), &clock).unwrap());
    let monitor = monitor(vec![Arc::clone(&caches) as _]);
    let cache: &Cache = caches.default_cache();
    for number in 0..20 {
        assert_eq!(cache.get::<u32>(&format!("ships:{number}")).await.unwrap(), None);
    }
    assert_eq!(raised(&monitor), [(Metric::CacheHitRate, Severity::Critical, 70.0, 0.0)]);
    // One in five misses from here on, which is enough; and the room is filled.
    let hour = Duration::from_secs(3600);
    for number in 0..4000 {
        cache.put(&format!("cargo:{number}"), "x".repeat(1000), hour).await.unwrap();
    }
    for number in 0..40 {
        let load = async || Ok::<_, CacheError>(String::new());
        cache.remember(&format!("ships:{}", number % 5), hour, load).await.unwrap();
    }
    let full = raised(&monitor);
    assert_eq!(full.len(), 1, "{full:?}");
    assert_eq!(full[0].0, Metric::CacheMemory, "{full:?}");
}

#[tokio::test]
async fn a_cache_that_is_to_keep_nothing_raises_no_alert() {
    let env = Env::from_pairs([("CACHE_STORE", "null")]);
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let caches = Arc::new(Caches::from_config(&CacheConfig::from_env(&env), &Stores::default(), &clock).unwrap());
    let monitor = monitor(vec![Arc::clone(&caches) as _]);
    for _ in 0..50 {
        assert_eq!(caches.default_cache().get::<u32>("ships").await.unwrap(), None);
    }
    assert_eq!((raised(&monitor), caches.default_cache().stats().hit_rate), (vec![], None));
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn a_store_that_is_slow_to_answer_is_heard_of_by_listeners() {
    use paravel::redis::cmd;

    let Some(server) = crate::redis::OwnServer::up().await else { return };
    let (sender, mut heard) = unbounded_channel::<Alert>();
    let env = Env::from_pairs([("CACHE_STORE", "redis"), ("REDIS_URL", &server.url()), ("REDIS_TIMEOUT", "1m")]);
    let builder = Application::builder().env(env).listener(passing_on()).replace(|app| {
        app.instance(Arc::new(Journal::default()));
        app.instance(Arc::new(sender));
    });
    let app = TestApp::boot(builder).await.unwrap();
    let (cache, monitor): (Arc<Cache>, Arc<Monitor>) = (app.make().unwrap(), app.make().unwrap());
    let mut admin = server.redis(&[]).blocking().await.unwrap();
    for number in 0..20 {
        // It holds up what is written, for so many milliseconds.
        admin.run(cmd("CLIENT").arg("PAUSE").arg(50).arg("WRITE")).await.unwrap();
        cache.put("ship", number, Duration::from_secs(60)).await.unwrap();
    }
    let took = cache.stats().store.unwrap();
    app.run(async { monitor.check() }).await;
    let alert = heard.recv().await.unwrap();
    assert_eq!((alert.metric, alert.subject.as_str(), alert.threshold), (Metric::CacheLatency, "default", 1.0));
    assert_eq!(alert.current, took.milliseconds / took.calls as f64);
    assert!(alert.current > 1.0 && alert.message.contains("1.0 ms is the bound"), "{alert:?}");
    println!("the store took {:.1} ms on average: {:?}", alert.current, alert.severity);
    // To whom so much is quick, nothing is said.
    let gauge = Arc::clone(&app.make::<Caches>().unwrap()) as Arc<dyn Gauge>;
    let patient = Monitor::new(vec![gauge], config(&[("ALERT_CACHE_LATENCY", "1h")]), app.make().unwrap());
    assert_eq!(raised(&patient), []);
}

#[service]
trait Anchors {
    async fn weigh(&self, milliseconds: u64) -> Result<(), ContainerError>;
}

struct Chain;

#[service]
impl Anchors for Chain {
    async fn weigh(&self, milliseconds: u64) -> Result<(), ContainerError> {
        let began = Instant::now();
        // It is the time that a thread is kept which is measured.
        while began.elapsed() < Duration::from_millis(milliseconds) {
            std::hint::spin_loop();
        }
        Ok(())
    }
}

#[tokio::test]
async fn metrics_around_a_service_say_how_long_its_methods_take() {
    let (app, _) = listening(|app| {
        app.singleton(|| -> Arc<dyn Anchors> { Arc::new(Chain) });
        app.decorate::<dyn Anchors>().with(Metrics::default());
        app.decorate::<dyn Anchors>().with(Metrics::default()).when(false);
    });
    // What is around the service is among what is watched, without a word.
    let gauges: Vec<Arc<dyn Gauge>> = app.tagged().unwrap();
    assert_eq!(gauges.len(), 1);
    let monitor = Monitor::new(gauges, config(&[("ALERT_SERVICE_METHOD", "2ms")]), app.make().unwrap());
    let anchors: Arc<dyn Anchors> = app.make().unwrap();
    for _ in 0..20 {
        anchors.weigh(3).await.unwrap();
    }
    let alerts = app.run(async { monitor.check() }).await;
    assert_eq!((alerts.len(), alerts[0].subject.as_str()), (1, "Anchors::weigh"));
    assert!(alerts[0].current >= 3.0, "{alerts:?}");
    assert!(Metrics::default().gauge().is_some_and(|gauge| gauge.read().is_empty()));
}

#[tokio::test]
async fn a_server_looks_while_it_serves() {
    let (sender, mut heard) = unbounded_channel::<Alert>();
    let dial = Arc::new(Dial::default());
    dial.set(Metric::CacheHitRate, "of a dial", Measure::Now(3.0));
    let env = Env::from_pairs([("ALERT_INTERVAL", "1ms")]);
    let builder = Application::builder().env(env).database::<SqliteConn>(&[]).listener(passing_on()).replace(|app| {
        app.instance(Arc::new(Journal::default()));
        app.instance(Arc::new(sender));
        app.tag(move || -> Arc<dyn Gauge> { Arc::clone(&dial) as _ });
    });
    let app = TestApp::boot(builder).await.unwrap();
    let alert = tokio::select! {
        ended = app.artisan(&["serve", "--port", "0"]) => panic!("{ended:?}"),
        alert = heard.recv() => alert.unwrap(),
    };
    assert_eq!((alert.subject.as_str(), alert.severity), ("of a dial", Severity::Critical));
}
