use std::fmt;

use serde::{Deserialize, Serialize};

/// What may be out of order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Metric {
    /// How many of a cache's reads find a value, in percent.
    #[serde(rename = "cache.hit_rate")]
    CacheHitRate,
    /// How much of a cache's room in this process is taken, in percent.
    #[serde(rename = "cache.memory")]
    CacheMemory,
    /// How long a cache's store takes to answer, on average, in milliseconds.
    #[serde(rename = "cache.latency")]
    CacheLatency,
    /// How long a service's method takes, on average, in milliseconds.
    #[serde(rename = "service.method")]
    ServiceMethod,
    /// How many jobs of a queue could begin.
    #[serde(rename = "queue.depth")]
    QueueDepth,
    /// How long the oldest of these has waited, in seconds.
    #[serde(rename = "queue.wait")]
    QueueWait,
    /// How many attempts at jobs of a kind fail, in percent.
    #[serde(rename = "queue.failures")]
    QueueFailures,
}

impl Metric {
    /// Its name, as in an alert that is written as JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CacheHitRate => "cache.hit_rate",
            Self::CacheMemory => "cache.memory",
            Self::CacheLatency => "cache.latency",
            Self::ServiceMethod => "service.method",
            Self::QueueDepth => "queue.depth",
            Self::QueueWait => "queue.wait",
            Self::QueueFailures => "queue.failures",
        }
    }

    const fn unit(self) -> &'static str {
        match self {
            Self::CacheHitRate | Self::CacheMemory | Self::QueueFailures => "%",
            Self::CacheLatency | Self::ServiceMethod => "ms",
            Self::QueueDepth => "jobs",
            Self::QueueWait => "s",
        }
    }

    const fn says(self) -> &'static str {
        match self {
            Self::CacheHitRate => "finds too few of the values it is asked for",
            Self::CacheMemory => "has little room left in this process",
            Self::CacheLatency => "waits long for its store",
            Self::ServiceMethod => "takes long",
            Self::QueueDepth => "has many jobs waiting",
            Self::QueueWait => "has jobs waiting for long",
            Self::QueueFailures => "fails often",
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How grave it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Severity {
    /// Somebody should look at it.
    Warning,
    /// Somebody should do so now.
    Critical,
}

/// Something is out of order. It is logged, and an application that wants to do more listens to it as to any event.
///
/// ```
/// use paravel::{listener, support::{Alert, BoxError}};
///
/// #[listener]
/// async fn wake_the_operators(alert: &Alert) -> Result<(), BoxError> {
///     eprintln!("{:?}: {}", alert.severity, alert.message);
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Alert {
    /// What is out of order.
    pub metric: Metric,
    /// Of what: the cache's name, the service's method, the queue, the kind of job.
    pub subject: String,
    /// The bound that it has crossed, in the metric's unit.
    pub threshold: f64,
    /// What it is now, in the metric's unit.
    pub current: f64,
    /// How grave it is.
    pub severity: Severity,
    /// All of it, for people.
    pub message: String,
}

impl Alert {
    /// An alert, in the words that its metric has.
    pub fn new(metric: Metric, subject: impl Into<String>, threshold: f64, current: f64, severity: Severity) -> Self {
        let subject = subject.into();
        let (says, unit) = (metric.says(), metric.unit());
        let message = format!("`{subject}` {says}: {current:.1} {unit}, where {threshold:.1} {unit} is the bound");
        Self { metric, subject, threshold, current, severity, message }
    }

    /// Logs it.
    pub fn log(&self) {
        let Self { metric, subject, threshold, current, severity, message } = self;
        let metric = metric.as_str();
        match severity {
            Severity::Warning => tracing::warn!(metric, subject, threshold, current, "{message}"),
            Severity::Critical => tracing::error!(metric, subject, threshold, current, "{message}"),
        }
    }
}
