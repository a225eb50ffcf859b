//! The bottom layer: ids, time, the environment, secrets, names, the log sink, signals and alerts.
//!
//! Nothing here knows the container or any module above it.

mod alert;
mod clock;
mod compression;
mod dotenv;
mod env;
mod gauge;
mod id;
mod log;
mod naming;
mod patch;
mod secret;
mod signal;
mod timestamp;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "redis"))]
mod tls;

pub use alert::{Alert, Metric, Severity};
pub use clock::{Clock, FakeClock, SystemClock};
pub(crate) use compression::{expand, shrink};
pub(crate) use dotenv::{has_value, loses_a_dollar, with_value};
pub(crate) use env::show_duration;
pub use env::{Bounded, Env, EnvError, EnvFault, EnvFaults, EnvValue, Variable, VariableInfo};
pub use gauge::{Gauge, Limit, Measure, Reading};
pub use id::{Id, IdError};
pub use log::{Level, LogSink, TracingLog};
pub(crate) use naming::nearest_first;
pub use naming::{nearest, short_name};
pub use patch::Patch;
pub use secret::{AppKey, Secret};
pub use signal::{Signal, SignalSink};
pub use timestamp::Timestamp;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "redis"))]
pub use tls::TlsFault;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "redis"))]
pub(crate) use tls::{is_here, trusted};

/// What a fallible hook of the toolkit's users returns: any error, boxed.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;
