use std::fmt;

/// How grave a log entry is, from `Debug` up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Level {
    /// Of use to the developer only.
    Debug,
    /// Something expected happened.
    Info,
    /// Something unexpected happened, and was dealt with.
    Warn,
    /// Something failed.
    Error,
}

/// Where the `Log` facade writes. The default is [`TracingLog`]; a test binds one that keeps the entries.
pub trait LogSink: Send + Sync {
    /// Writes one entry: a constant message, and what varies as fields.
    fn write(&self, level: Level, message: &str, fields: &[(&str, &dyn fmt::Display)]);
}

/// Writes through `tracing`, under the target `app`.
#[derive(Debug, Default, Clone, Copy)]
pub struct TracingLog;

struct Fields<'a>(&'a [(&'a str, &'a dyn fmt::Display)]);

impl fmt::Display for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (name, value)) in self.0.iter().enumerate() {
            let space = if index == 0 { "" } else { " " };
            // `{:?}` of the text escapes line breaks, so that a value cannot forge an entry.
            write!(f, "{space}{name}={:?}", value.to_string())?;
        }
        Ok(())
    }
}

impl LogSink for TracingLog {
    fn write(&self, level: Level, message: &str, fields: &[(&str, &dyn fmt::Display)]) {
        let context = Fields(fields);
        match level {
            Level::Debug => tracing::debug!(target: "app", %context, "{message}"),
            Level::Info => tracing::info!(target: "app", %context, "{message}"),
            Level::Warn => tracing::warn!(target: "app", %context, "{message}"),
            Level::Error => tracing::error!(target: "app", %context, "{message}"),
        }
    }
}
