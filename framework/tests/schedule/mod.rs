//! The schedule: when tasks are due, who runs them, and what becomes of those that fail, overlap or were missed.

mod backlogs;
mod commands;
mod faults;
pub mod fences;
mod jobs;
mod jumps;
mod missed;
mod overlaps;
mod runs;
mod stops;
mod times;
mod works;

use std::{
    future::{Ready, ready},
    sync::Arc,
    time::Duration,
};

use paravel::{
    cache::Cache,
    config::{AppConfig, ScheduleConfig},
    console::{Registry, Stops},
    container::{Container, ContainerBuilder},
    schedule::{CacheFence, Schedule, ScheduleStore, Scheduler, Tasks, WorkReport},
    support::{Clock, Env, Signal, SignalSink, Timestamp, Zone},
};
use parking_lot::Mutex;
use tokio::{sync::watch, task::JoinHandle, time::Instant};

pub fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A clock that goes with tokio's, paused or not, and can be put forward and back.
pub struct Moving {
    began: Instant,
    shown: Mutex<Timestamp>,
}

impl Moving {
    pub fn at(text: &str) -> Arc<Self> {
        Arc::new(Self { began: Instant::now(), shown: Mutex::new(at(text)) })
    }

    /// Shows this from now on.
    pub fn set(&self, text: &str) {
        let gone = chrono::TimeDelta::from_std(self.began.elapsed()).unwrap();
        *self.shown.lock() = (at(text).utc() - gone).into();
    }
}

impl Clock for Moving {
    fn now(&self) -> Timestamp {
        self.shown.lock().plus(self.began.elapsed())
    }
}

/// What tasks did, in order.
#[derive(Clone, Default)]
pub struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    pub fn add(&self, what: impl Into<String>) {
        self.0.lock().push(what.into());
    }

    pub fn all(&self) -> Vec<String> {
        self.0.lock().clone()
    }

    pub fn count(&self, what: &str) -> usize {
        self.0.lock().iter().filter(|seen| *seen == what).count()
    }

    /// A task that says its name.
    pub fn says(&self, what: &'static str) -> impl FnOnce() -> Ready<()> + Clone + Send + Sync + 'static {
        let seen = self.clone();
        move || {
            seen.add(what);
            ready(())
        }
    }
}

/// Keeps what was raised.
#[derive(Default)]
pub struct Raised(pub Mutex<Vec<Signal>>);

impl SignalSink for Raised {
    fn raise(self: Arc<Self>, signal: Signal) {
        self.0.lock().push(signal);
    }
}

/// An application of nothing but these tasks.
pub struct Stand {
    pub app: Container,
    pub scheduler: Arc<Scheduler>,
    pub raised: Arc<Raised>,
}

/// A store of this process.
pub fn store() -> Arc<ScheduleStore> {
    let cache = Cache::memory("default", 1 << 20);
    Arc::new(ScheduleStore::new(Arc::new(CacheFence::new(cache.clone())), cache))
}

pub fn tasks(fill: impl FnOnce(&mut Schedule)) -> Tasks {
    let tasks = Tasks::collect([fill], &Registry::collect([]), Zone::UTC);
    assert_eq!(tasks.faults(), []);
    tasks
}

impl Stand {
    pub fn new(clock: Arc<dyn Clock>, store: &Arc<ScheduleStore>, fill: impl FnOnce(&mut Schedule)) -> Self {
        let env = Env::from_pairs([("APP_ENV", "testing")]);
        let (config, schedule) = (AppConfig::from_env(&env), ScheduleConfig::from_env(&env));
        let raised = Arc::new(Raised::default());
        let mut app = ContainerBuilder::new();
        app.instance(Arc::new("Narrowhaven".to_owned()));
        app.instance::<dyn SignalSink>(Arc::clone(&raised) as _);
        let scheduler = Scheduler::new(Arc::new(tasks(fill)), Arc::clone(store), clock, &config, &schedule);
        Self { app: app.freeze().unwrap(), scheduler: Arc::new(scheduler), raised }
    }

    /// Begins to work.
    pub fn work(&self) -> Working {
        let (app, scheduler) = (self.app.clone(), Arc::clone(&self.scheduler));
        let (asks, asked) = watch::channel(0);
        let work = paravel::spawn(async move { scheduler.work(&app, Stops::when(asked)).await });
        Working { asks, work }
    }

    /// Works for so long, and then stops.
    pub async fn work_for(&self, time: Duration) -> WorkReport {
        let working = self.work();
        tokio::time::sleep(time).await;
        working.stop().await
    }
}

/// A scheduler at work.
pub struct Working {
    asks: watch::Sender<u32>,
    pub work: JoinHandle<WorkReport>,
}

impl Working {
    /// Asks it to stop, once more.
    pub fn ask(&self) {
        self.asks.send_modify(|times| *times += 1);
    }

    pub async fn stop(self) -> WorkReport {
        self.ask();
        self.work.await.unwrap()
    }
}

pub const SECOND: Duration = Duration::from_secs(1);
pub const MINUTE: Duration = Duration::from_secs(60);
pub const HOUR: Duration = Duration::from_secs(3600);
