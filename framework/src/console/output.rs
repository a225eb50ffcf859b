use std::{
    fmt::Display,
    io::{self, BufRead, IsTerminal, Write},
    sync::Arc,
};

use comfy_table::{Attribute, Cell, Table, presets};
use parking_lot::Mutex;
use serde::Serialize;

use super::{Progress, Registry};
use crate::support::Env;

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Color {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// A destructive command was not confirmed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// There is nobody to ask.
    #[error("{action}? In production that has to be confirmed, and there is no terminal to ask on: pass --force")]
    NoTerminal {
        /// What would have been done.
        action: String,
    },
    /// The answer was no.
    #[error("not confirmed: nothing was done")]
    Declined,
}

/// What a command prints to and asks through.
///
/// With `--json`, standard output carries one JSON value and nothing else: prose goes to standard error.
pub struct Console {
    registry: Registry,
    out: Box<dyn Write + Send>,
    json: bool,
    color: bool,
    // Somebody looks at what is printed, and it can be drawn over.
    live: bool,
    interactive: bool,
    // Nobody looks at it: it is written to memory, or nowhere.
    in_memory: bool,
    // The first write that failed: the work itself goes on.
    failed: Option<io::Error>,
}

impl Console {
    pub(super) fn stdout(json: bool, color: Color, interactive: bool) -> Self {
        let color = match color {
            Color::Auto => io::stdout().is_terminal() && Env::process("NO_COLOR").is_none(),
            Color::Always => true,
            Color::Never => false,
        };
        let interactive = interactive && io::stdin().is_terminal() && io::stderr().is_terminal();
        Self {
            registry: Registry::default(),
            out: Box::new(io::stdout()),
            json,
            color: color && !json,
            live: !json && io::stdout().is_terminal(),
            interactive,
            in_memory: false,
            failed: None,
        }
    }

    /// A console that writes to memory, for tests; the second value is what was written.
    pub fn memory(json: bool) -> (Self, Written) {
        let written = Written::default();
        (Self::unseen(Box::new(written.clone()), json), written)
    }

    /// A console that nobody reads and that can ask nobody, for commands that run by themselves.
    pub fn silent() -> Self {
        Self::unseen(Box::new(io::sink()), false)
    }

    fn unseen(out: Box<dyn Write + Send>, json: bool) -> Self {
        let registry = Registry::default();
        Self { registry, out, json, color: false, live: false, interactive: false, in_memory: true, failed: None }
    }

    /// Whether JSON was asked for.
    pub fn is_json(&self) -> bool {
        self.json
    }

    /// Whether it prints text to a terminal, so that what is printed can be [drawn over](Self::redraw).
    pub fn is_live(&self) -> bool {
        self.live
    }

    /// Begins the screen anew, where there is one.
    pub fn redraw(&mut self) {
        if self.live {
            self.write(b"\x1b[H\x1b[2J");
        }
    }

    /// The commands there are.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    // A console may be made before there is a line, and so without the commands it is one of.
    pub(super) fn set_registry(&mut self, registry: Registry) {
        self.registry = registry;
    }

    /// Prints a line.
    pub fn line(&mut self, text: impl Display) {
        if self.json {
            // It is beside what was asked for.
            let _ = writeln!(io::stderr(), "{text}");
        } else {
            self.write(format!("{text}\n").as_bytes());
        }
    }

    /// Prints bytes as they stand.
    pub(super) fn write(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.failed = self.out.write_all(bytes).err();
        }
    }

    /// Prints what went well.
    pub fn success(&mut self, text: impl Display) {
        self.painted("32", text);
    }

    /// Prints what deserves attention.
    pub fn warn(&mut self, text: impl Display) {
        self.painted("33", text);
    }

    fn painted(&mut self, code: &str, text: impl Display) {
        if self.color {
            self.line(format!("\x1b[{code}m{text}\x1b[0m"));
        } else {
            self.line(text);
        }
    }

    /// Shows how far something has come, of so much in all; see [`Progress`].
    pub fn progress(&mut self, label: impl Display, total: u64) -> Progress {
        Progress::on_terminal(label, total, self.json || self.in_memory)
    }

    /// Prints rows: a table of the named fields as text, or all of each row as a JSON array.
    ///
    /// # Errors
    /// Where a row cannot be serialized.
    pub fn rows<T: Serialize>(&mut self, columns: &[(&str, &str)], rows: &[T]) -> serde_json::Result<()> {
        if self.json {
            return self.value(&rows);
        }
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        if self.color {
            table.enforce_styling();
        } else {
            table.force_no_tty();
        }
        table.set_header(columns.iter().map(|(title, _)| Cell::new(title).add_attribute(Attribute::Bold)));
        for row in rows {
            let row = serde_json::to_value(row)?;
            table.add_row(columns.iter().map(|(_, field)| cell(row.get(field))));
        }
        let text = table.lines().map(|line| line.trim_end().to_owned()).collect::<Vec<_>>().join("\n");
        self.line(text);
        Ok(())
    }

    /// Prints one value: its fields as lines, or as a JSON object.
    ///
    /// # Errors
    /// Where it cannot be serialized.
    pub fn value<T: Serialize>(&mut self, value: &T) -> serde_json::Result<()> {
        if self.json {
            let text = serde_json::to_string_pretty(value)?;
            self.write(format!("{text}\n").as_bytes());
            return Ok(());
        }
        let value = serde_json::to_value(value)?;
        self.fields("", &value);
        Ok(())
    }

    fn fields(&mut self, indent: &str, value: &serde_json::Value) {
        let serde_json::Value::Object(fields) = value else {
            self.line(format!("{indent}{}", cell(Some(value))));
            return;
        };
        let width = fields.keys().map(String::len).max().unwrap_or_default();
        for (name, value) in fields {
            if value.is_object() {
                self.line(format!("{indent}{name}"));
                self.fields(&format!("{indent}  "), value);
            } else {
                self.line(format!("{indent}{name:width$}  {}", cell(Some(value))));
            }
        }
    }

    /// Asks before something that cannot be undone is done to what people depend on: in production, unless `force`.
    ///
    /// # Errors
    /// [`Refused`] where the answer is no, or there is nobody to ask.
    pub fn guard(&mut self, action: &str, production: bool, force: bool) -> Result<(), Refused> {
        if !production || force {
            return Ok(());
        }
        if !self.interactive {
            return Err(Refused::NoTerminal { action: action.to_owned() });
        }
        let _ = write!(io::stderr(), "The application is in production. {action}? [y/N] ");
        let _ = io::stderr().flush();
        let mut answer = String::new();
        let read = io::stdin().lock().read_line(&mut answer);
        let yes = read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes");
        if yes { Ok(()) } else { Err(Refused::Declined) }
    }

    pub(super) fn flush(&mut self) -> io::Result<()> {
        let done = match self.failed.take() {
            Some(error) => Err(error),
            None => self.out.flush(),
        };
        unless_nobody_reads(done)
    }
}

/// `artisan list | head` is not a failure.
pub(super) fn unless_nobody_reads(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// The text without what would steer the terminal: it may come from anybody.
fn plain(text: &str) -> String {
    let escape = |character: char| match character.is_control() {
        true => character.escape_default().to_string(),
        false => character.to_string(),
    };
    text.chars().map(escape).collect()
}

fn cell(value: Option<&serde_json::Value>) -> String {
    match value {
        None | Some(serde_json::Value::Null) => String::new(),
        Some(serde_json::Value::String(text)) => plain(text),
        Some(serde_json::Value::Array(items)) => {
            items.iter().map(|item| cell(Some(item))).collect::<Vec<_>>().join(", ")
        }
        Some(other) => other.to_string(),
    }
}

/// What a console in memory has written.
#[derive(Clone, Default)]
pub struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    /// The text so far.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock()).into_owned()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
