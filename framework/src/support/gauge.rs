use futures_util::future::{BoxFuture, ready};

use super::{Metric, Severity};

/// Something that can be read at any moment, at no cost worth speaking of: a cache's counts, a queue's length. What is
/// tagged as an `Arc<dyn Gauge>` in the container is watched while the application serves.
///
/// ```
/// use paravel::support::{Gauge, Measure, Metric, Reading};
///
/// struct Hold;
///
/// impl Gauge for Hold {
///     fn read(&self) -> Vec<Reading> {
///         vec![Reading::new(Metric::CacheMemory, "hold", Measure::Now(63.0))]
///     }
/// }
///
/// assert_eq!(Hold.read()[0].subject, "hold");
/// ```
pub trait Gauge: Send + Sync {
    /// Finds out what it takes time to find out, before it is read; what does not belong to this process, say.
    fn look(&self) -> BoxFuture<'_, ()> {
        Box::pin(ready(()))
    }

    /// What it is now.
    fn read(&self) -> Vec<Reading>;
}

/// One thing that a [`Gauge`] says.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Reading {
    /// What it is about.
    pub metric: Metric,
    /// Of what.
    pub subject: String,
    /// How much, in the metric's unit.
    pub current: Measure,
}

/// How much.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Measure {
    /// At this moment.
    Now(f64),
    /// On average, of all that happened since the process began. What happened since the last look counts.
    Mean {
        /// Of all of it together.
        sum: f64,
        /// How often it happened.
        count: u64,
    },
}

impl Reading {
    /// A reading.
    pub fn new(metric: Metric, subject: impl Into<String>, current: Measure) -> Self {
        Self { metric, subject: subject.into(), current }
    }
}

/// From where on something is out of order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// Below this; critically, below the other.
    AtLeast(f64, f64),
    /// Above this; critically, above the other.
    AtMost(f64, f64),
}

impl Limit {
    /// The bound that is crossed first.
    pub const fn threshold(self) -> f64 {
        match self {
            Self::AtLeast(threshold, _) | Self::AtMost(threshold, _) => threshold,
        }
    }

    /// How grave this value is, where it is out of order.
    pub fn severity(self, current: f64) -> Option<Severity> {
        let (beyond, far_beyond) = match self {
            Self::AtLeast(least, critical) => (current < least, current < critical),
            Self::AtMost(most, critical) => (current > most, current > critical),
        };
        let severity = if far_beyond { Severity::Critical } else { Severity::Warning };
        beyond.then_some(severity)
    }
}
