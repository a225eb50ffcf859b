use std::fmt::Display;

use parking_lot::Mutex;

use crate::support::{Level, LogSink};

/// A log that keeps its entries, to be bound in place of `dyn LogSink`.
///
/// ```
/// use paravel::support::{Level, LogSink};
/// use paravel::testing::MemoryLog;
///
/// let log = MemoryLog::default();
/// log.write(Level::Info, "sailed", &[("ship", &"Dawn Treader")]);
/// assert_eq!(log.entries()[0].field("ship"), Some("Dawn Treader"));
/// ```
#[derive(Debug, Default)]
pub struct MemoryLog(Mutex<Vec<LogEntry>>);

/// One entry of a [`MemoryLog`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogEntry {
    /// How grave it is.
    pub level: Level,
    /// The message.
    pub message: String,
    /// The fields, in order.
    pub fields: Vec<(String, String)>,
}

impl LogEntry {
    /// The value of a field.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

impl MemoryLog {
    /// The entries so far.
    pub fn entries(&self) -> Vec<LogEntry> {
        self.0.lock().clone()
    }
}

impl LogSink for MemoryLog {
    fn write(&self, level: Level, message: &str, fields: &[(&str, &dyn Display)]) {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.to_string())).collect();
        self.0.lock().push(LogEntry { level, message: message.to_owned(), fields });
    }
}
