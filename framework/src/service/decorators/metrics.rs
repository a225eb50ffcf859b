use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use async_trait::async_trait;
use parking_lot::RwLock;
use serde::Serialize;
use tokio::time::Instant;

use crate::{
    service::{Call, Decorator, MethodInfo, ServiceError},
    support::{Gauge, Measure, Metric, Reading},
};

/// The histogram's buckets: up to 16 µs, then twice as much each, the last beyond 33 s.
const BUCKETS: usize = 23;
const SMALLEST: u64 = 16;

type Method = (&'static str, &'static str);

/// Counts each method's calls, errors and times. A clone counts into the same numbers: keep one, or bind it, to read them.
#[derive(Debug, Clone, Default)]
pub struct Metrics(Arc<RwLock<BTreeMap<Method, Arc<Counts>>>>);

#[derive(Debug, Default)]
struct Counts {
    calls: AtomicU64,
    errors: AtomicU64,
    left: AtomicU64,
    microseconds: AtomicU64,
    buckets: [AtomicU64; BUCKETS],
}

/// What happened to one method since the process began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MethodStats {
    /// The service's trait.
    pub service: &'static str,
    /// The method.
    pub method: &'static str,
    /// How many calls there were, those that are under way included.
    pub calls: u64,
    /// How many of them returned an error, or were refused further in.
    pub errors: u64,
    /// How many were left half-way: their caller went away, or they panicked.
    pub left: u64,
    /// How long those that came to an end took, in all, in microseconds.
    pub microseconds: u64,
    /// How many took up to so many microseconds, and longer than the bucket before. The last has those beyond.
    pub buckets: Vec<(u64, u64)>,
}

impl MethodStats {
    /// The upper bound of the bucket in which this share of the calls, from 0 to 1, had come to an end. Up to twice the true
    /// time; `None` where there was none yet.
    pub fn quantile(&self, share: f64) -> Option<Duration> {
        let total: u64 = self.buckets.iter().map(|(_, count)| count).sum();
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a count, between 0 and the count"
        )]
        let wanted = ((total as f64 * share.clamp(0.0, 1.0)).ceil() as u64).max(1);
        let mut seen = 0;
        let bucket = self.buckets.iter().find(|(_, count)| {
            seen += count;
            seen >= wanted
        });
        bucket.map(|(upto, _)| Duration::from_micros(*upto))
    }
}

impl Metrics {
    /// What happened so far, by service and method.
    pub fn read(&self) -> Vec<MethodStats> {
        let methods = self.0.read();
        let stats = methods.iter().map(|((service, method), counts)| MethodStats {
            service,
            method,
            calls: counts.calls.load(Relaxed),
            errors: counts.errors.load(Relaxed),
            left: counts.left.load(Relaxed),
            microseconds: counts.microseconds.load(Relaxed),
            buckets: (0..BUCKETS).map(|index| (SMALLEST << index, counts.buckets[index].load(Relaxed))).collect(),
        });
        stats.collect()
    }

    fn of(&self, method: &'static MethodInfo) -> Arc<Counts> {
        let key = (method.service, method.name);
        let known = self.0.read().get(&key).map(Arc::clone);
        known.unwrap_or_else(|| Arc::clone(self.0.write().entry(key).or_default()))
    }
}

impl Gauge for Metrics {
    fn read(&self) -> Vec<Reading> {
        let reading = |stats: MethodStats| {
            let count = stats.buckets.iter().map(|(_, count)| count).sum();
            let current = Measure::Mean { sum: stats.microseconds as f64 / 1e3, count };
            Reading::new(Metric::ServiceMethod, format!("{}::{}", stats.service, stats.method), current)
        };
        Self::read(self).into_iter().map(reading).collect()
    }
}

/// A call that is under way.
struct Timer {
    counts: Arc<Counts>,
    began: Instant,
    over: bool,
}

impl Timer {
    fn end(mut self, failed: bool) {
        self.over = true;
        let took = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let bucket = (0..BUCKETS - 1).find(|index| took <= SMALLEST << index).unwrap_or(BUCKETS - 1);
        self.counts.buckets[bucket].fetch_add(1, Relaxed);
        self.counts.microseconds.fetch_add(took, Relaxed);
        self.counts.errors.fetch_add(u64::from(failed), Relaxed);
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.counts.left.fetch_add(u64::from(!self.over), Relaxed);
    }
}

#[async_trait]
impl Decorator for Metrics {
    async fn around(&self, call: &mut Call<'_>) -> Result<(), ServiceError> {
        let counts = self.of(call.method());
        counts.calls.fetch_add(1, Relaxed);
        let timer = Timer { counts, began: Instant::now(), over: false };
        let outcome = call.proceed().await;
        timer.end(!matches!(&outcome, Ok(outcome) if outcome.failure().is_none()));
        outcome.map(drop)
    }

    fn refuses(&self) -> bool {
        false
    }

    fn gauge(&self) -> Option<Arc<dyn Gauge>> {
        Some(Arc::new(self.clone()))
    }
}
