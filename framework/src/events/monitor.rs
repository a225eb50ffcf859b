use std::{collections::HashMap, sync::Arc, time::Duration};

use futures_util::future::join_all;
use parking_lot::Mutex;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::{
    config::AlertConfig,
    support::{Alert, Gauge, Measure, Metric, Reading, Severity, Signal, SignalSink},
};

/// An average of fewer is none: it waits until there are more.
const FEWEST: u64 = 20;

/// How long to wait for what gauges have to find out.
const PATIENCE: Duration = Duration::from_secs(10);

/// Looks at every gauge again and again, and raises an [`Alert`] where one crosses its bound, and one more where it becomes
/// critical; the next one only after it has recovered. `serve` runs it.
pub struct Monitor {
    gauges: Vec<Arc<dyn Gauge>>,
    config: Arc<AlertConfig>,
    sink: Arc<dyn SignalSink>,
    seen: Mutex<HashMap<(Metric, String), Seen>>,
}

/// What the last look at a reading found.
#[derive(Default)]
struct Seen {
    sum: f64,
    count: u64,
    severity: Option<Severity>,
}

impl Seen {
    /// The value since the last look, where that is worth anything.
    fn since(&mut self, current: Measure) -> Option<f64> {
        let (sum, count) = match current {
            Measure::Now(value) => return Some(value),
            Measure::Mean { sum, count } => (sum, count),
        };
        let happened = count.saturating_sub(self.count);
        if count >= self.count && happened < FEWEST {
            return None;
        }
        let mean = (sum - self.sum) / happened as f64;
        (self.sum, self.count) = (sum, count);
        // One that counts anew has no mean yet.
        (happened > 0).then_some(mean)
    }
}

impl Monitor {
    /// A monitor of these gauges, whose alerts the sink is told.
    pub fn new(gauges: Vec<Arc<dyn Gauge>>, config: Arc<AlertConfig>, sink: Arc<dyn SignalSink>) -> Self {
        Self { gauges, config, sink, seen: Mutex::default() }
    }

    /// Has all gauges find out what they are going to say.
    pub async fn look(&self) {
        let looks = join_all(self.gauges.iter().map(|gauge| gauge.look()));
        if timeout(PATIENCE, looks).await.is_err() {
            tracing::warn!("what is watched could not be found out in time");
        }
    }

    /// Reads them once, and logs and raises what has got out of order since the last look.
    pub fn check(&self) -> Vec<Alert> {
        let readings: Vec<_> = self.gauges.iter().flat_map(|gauge| gauge.read()).collect();
        let alerts: Vec<_> = readings.into_iter().filter_map(|reading| self.judge(reading)).collect();
        for alert in &alerts {
            alert.log();
            Arc::clone(&self.sink).raise(Signal::new(alert.clone()));
        }
        alerts
    }

    fn judge(&self, Reading { metric, subject, current }: Reading) -> Option<Alert> {
        let limit = self.config.limit(metric)?;
        let mut seen = self.seen.lock();
        let seen = seen.entry((metric, subject.clone())).or_default();
        let current = seen.since(current)?;
        let severity = limit.severity(current);
        let Some(severity) = severity else {
            if seen.severity.take().is_some() {
                tracing::info!(metric = metric.as_str(), subject, current, "it has recovered");
            }
            return None;
        };
        if seen.severity >= Some(severity) {
            return None;
        }
        seen.severity = Some(severity);
        Some(Alert::new(metric, subject, limit.threshold(), current, severity))
    }

    /// Looks every `ALERT_INTERVAL`, as long as it is polled.
    pub async fn run(&self) {
        if self.config.interval.is_zero() {
            return;
        }
        let mut ticks = interval(self.config.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first is at once.
        ticks.tick().await;
        loop {
            ticks.tick().await;
            self.look().await;
            self.check();
        }
    }
}
