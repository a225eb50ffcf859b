use std::{collections::HashMap, sync::Arc};

use parking_lot::Mutex;
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    config::AlertConfig,
    support::{Alert, Gauge, Measure, Metric, Reading, Signal, SignalSink},
};

/// An average of fewer is none: it waits until there are more.
const FEWEST: u64 = 20;

/// Looks at every gauge again and again, and raises an [`Alert`] where one crosses its bound; the next one only after it has
/// recovered. `serve` runs it.
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
    is_out_of_order: bool,
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

    /// Looks once, and logs and raises what has got out of order since the last look.
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
        let was_out_of_order = std::mem::replace(&mut seen.is_out_of_order, severity.is_some());
        if was_out_of_order && severity.is_none() {
            tracing::info!(metric = metric.as_str(), subject, current, "it has recovered");
        }
        let severity = severity.filter(|_| !was_out_of_order)?;
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
            self.check();
        }
    }
}
