//! The bottom layer: ids, time, the environment, secrets, names, the log sink, signals and alerts.
//!
//! Nothing here knows the container or any module above it.

mod alert;
mod causes;
mod clock;
mod dotenv;
mod email;
mod env;
mod gauge;
mod id;
mod log;
mod naming;
mod panics;
mod patch;
mod secret;
mod signal;
mod timestamp;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "redis", feature = "smtp"))]
mod tls;
mod trace_id;
pub(crate) mod wire_format;
mod zone;

pub use alert::{Alert, Metric, Severity};
pub(crate) use causes::{backtrace_of, with_causes};
pub use clock::{Clock, FakeClock, SystemClock};
pub(crate) use dotenv::{has_value, loses_a_dollar, with_value};
pub(crate) use email::{LONGEST_ADDRESS, is_email_address};
pub(crate) use env::show_duration;
pub use env::{Bounded, Env, EnvError, EnvFault, EnvFaults, EnvValue, Variable, VariableInfo};
pub use gauge::{Gauge, Limit, Measure, Reading};
pub use id::{Id, IdError};
pub use log::{Level, LogSink, TracingLog};
pub(crate) use naming::nearest_first;
pub use naming::{did_you_mean, nearest, short_name};
pub(crate) use panics::{PanicPlace, note_panics};
pub use patch::Patch;
pub use secret::{AppKey, AppKeys, Secret};
pub(crate) use signal::Carried;
pub use signal::{Signal, SignalSink};
pub use timestamp::Timestamp;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "redis", feature = "smtp"))]
pub use tls::TlsFault;
#[cfg(any(feature = "redis", feature = "smtp"))]
pub(crate) use tls::connector;
#[cfg(any(feature = "postgres", feature = "mysql", feature = "redis", feature = "smtp"))]
pub(crate) use tls::is_here;
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(crate) use tls::trusted;
pub use trace_id::TraceId;
pub use wire_format::WireFormat;
pub use zone::{UnknownZone, Zone};

/// What a fallible hook of the toolkit's users returns: any error, boxed.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;
