use std::time::Duration;

use serde::Serialize;

use crate::support::{Env, Limit, Metric};

/// From where on something is out of order, which raises an [`Alert`](crate::support::Alert).
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct AlertConfig {
    /// `ALERT_CACHE_HIT_RATE`: how many percent of a cache's reads have to find a value, from 0 to 100. Fewer are a
    /// warning, and half as many critical. Default 70.
    pub cache_hit_rate: u16,
    /// `ALERT_CACHE_MEMORY`: how many percent of a cache's room in this process may be taken, from 0 to 100. More is a
    /// warning, and less than half of the rest left critical. Default 80.
    pub cache_memory: u16,
    /// `ALERT_CACHE_LATENCY`: how long a cache's store may take to answer on average, from `1ms` to `1h`. Longer is a
    /// warning, and ten times as long critical. Default `1ms`.
    #[serde(serialize_with = "super::shown::duration")]
    pub cache_latency: Duration,
    /// `ALERT_SERVICE_METHOD`: how long a service's method may take on average, where the `Metrics` decorator is around
    /// it, from `1ms` to `1h`. Longer is a warning, and ten times as long critical. Default `100ms`.
    #[serde(serialize_with = "super::shown::duration")]
    pub service_method: Duration,
    /// `ALERT_QUEUE_DEPTH`: how many jobs may wait in a queue, from 1. More are a warning, and ten times as many critical. Default
    /// 10000.
    pub queue_depth: u64,
    /// `ALERT_QUEUE_WAIT`: how long a job that could begin may wait, from `1s` to `1d`. Longer is a warning, and ten times as long
    /// critical. Default `5m`.
    #[serde(serialize_with = "super::shown::duration")]
    pub queue_wait: Duration,
    /// `ALERT_QUEUE_FAILURES`: how many percent of the attempts at jobs of one kind may fail, from 0 to 100. More is a warning,
    /// and less than half of the rest left critical. Default 10.
    pub queue_failures: u16,
    /// `ALERT_INTERVAL`: how often it is looked at while the application serves, up to `1d`; `0s` for never. Default `1m`.
    #[serde(serialize_with = "super::shown::duration")]
    pub interval: Duration,
}

const HOUR: Duration = Duration::from_secs(3600);

impl AlertConfig {
    /// Reads the fields' variables.
    pub fn from_env(env: &Env) -> Self {
        let bearable = Duration::from_millis(1)..=HOUR;
        Self {
            cache_hit_rate: env
                .var("ALERT_CACHE_HIT_RATE", "Percent of a cache's reads that have to find a value")
                .between(0..=100, 70),
            cache_memory: env
                .var("ALERT_CACHE_MEMORY", "Percent of a cache's room in this process that may be taken")
                .between(0..=100, 80),
            cache_latency: env
                .var("ALERT_CACHE_LATENCY", "How long a cache's store may take to answer, on average")
                .between(bearable.clone(), Duration::from_millis(1)),
            service_method: env
                .var("ALERT_SERVICE_METHOD", "How long a service's method may take, on average")
                .between(bearable, Duration::from_millis(100)),
            queue_depth: env
                .var("ALERT_QUEUE_DEPTH", "Jobs that may wait in a queue")
                .between(1..=1_000_000_000, 10_000_u64),
            queue_wait: env
                .var("ALERT_QUEUE_WAIT", "How long a job that could begin may wait")
                .between(Duration::from_secs(1)..=24 * HOUR, Duration::from_secs(300)),
            queue_failures: env
                .var("ALERT_QUEUE_FAILURES", "Percent of the attempts at jobs of one kind that may fail")
                .between(0..=100, 10),
            interval: env
                .var("ALERT_INTERVAL", "How often it is looked for what is out of order; 0s for never")
                .between(Duration::ZERO..=24 * HOUR, Duration::from_secs(60)),
        }
    }

    /// From where on a metric is out of order; `None` where that has no bound.
    pub fn limit(&self, metric: Metric) -> Option<Limit> {
        let percent = |percent: u16| f64::from(percent);
        let percent_at_most = |most: u16| Limit::AtMost(percent(most), f64::midpoint(percent(most), 100.0));
        let ten_times = |most: f64| Limit::AtMost(most, most * 10.0);
        let at_most = |most: Duration| ten_times(most.as_secs_f64() * 1e3);
        Some(match metric {
            Metric::CacheHitRate => Limit::AtLeast(percent(self.cache_hit_rate), percent(self.cache_hit_rate) / 2.0),
            Metric::CacheMemory => percent_at_most(self.cache_memory),
            Metric::CacheLatency => at_most(self.cache_latency),
            Metric::ServiceMethod => at_most(self.service_method),
            Metric::QueueDepth => ten_times(self.queue_depth as f64),
            Metric::QueueWait => ten_times(self.queue_wait.as_secs_f64()),
            Metric::QueueFailures => percent_at_most(self.queue_failures),
        })
    }
}
