use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use parking_lot::Mutex;

use super::{loses_a_dollar, nearest};

/// The environment: the process's variables over those of a `.env` file.
///
/// Config structs are filled from it. Each read declares its variable with a sentence of documentation,
/// and a wrong value is noted rather than returned, so that [`Env::check`] can report all of them together.
///
/// ```
/// use paravel::support::Env;
///
/// let env = Env::from_pairs([("PAGE_SIZE", "twenty")]);
/// let size: u16 = env.var("PAGE_SIZE", "Rows on a page").or(20_u16);
/// assert_eq!(size, 20);
/// let faults = env.check().unwrap_err().to_string();
/// assert!(faults.contains("PAGE_SIZE is \"twenty\", but must be a whole number from 0 to 65535"));
/// ```
#[derive(Debug, Default)]
pub struct Env {
    values: BTreeMap<String, Value>,
    // Variables of the process whose value is no text.
    unreadable: BTreeSet<String>,
    file: Option<PathBuf>,
    declared: Mutex<BTreeMap<&'static str, VariableInfo>>,
    faults: Mutex<Vec<EnvFault>>,
}

#[derive(Clone)]
struct Value {
    text: String,
    from_file: bool,
}

// A value may be a secret, and which are is known only once it is declared.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// A variable that some part of the application reads.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct VariableInfo {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub doc: &'static str,
    /// What a value must look like.
    pub expected: Cow<'static, str>,
    /// The value in force, redacted where it is a secret; `None` where there is none.
    pub value: Option<String>,
    /// `process`, `.env` or `default`.
    pub source: &'static str,
}

/// The environment could not be read at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvError {
    /// The `.env` file is there but cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A line of `.env` is not one. What it says is left out: it may be a secret.
    #[error("{}: line {line} cannot be read: write NAME=value, with quotes around a value that has spaces", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// The line's number, from 1.
        line: usize,
    },
}

/// One thing that is wrong with the environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EnvFault {
    /// A value of the wrong form.
    #[error("{name} is {value}, but must be {expected}")]
    Wrong {
        /// The variable.
        name: &'static str,
        /// Its value, quoted, or `[redacted]`.
        value: String,
        /// What was expected.
        expected: String,
    },
    /// A variable that has no default and is not set.
    #[error("{name} is not set, but must be {expected}")]
    Missing {
        /// The variable.
        name: &'static str,
        /// What was expected.
        expected: String,
    },
    /// A key that `.env` has twice, of which one value would count.
    #[error("{name} is set twice in {file}")]
    Repeated {
        /// The key.
        name: String,
        /// The file.
        file: String,
    },
    /// A `$` in `.env` that stands for no variable.
    #[error("line {line} of {file} has a $ that stands for no variable: put a value with a $ into single quotes")]
    Dollar {
        /// The file.
        file: String,
        /// The line's number, from 1.
        line: usize,
    },
    /// A key of `.env` that nothing reads.
    #[error("{name} in {file} is read by nothing{}", nearest.map(|n| format!("; did you mean {n}?")).unwrap_or_default())]
    Unknown {
        /// The key.
        name: String,
        /// The file.
        file: String,
        /// The declared variable it may have been meant for.
        nearest: Option<&'static str>,
    },
}

/// All that is wrong with the environment, and then what would only be warned of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvFaults(pub Vec<EnvFault>, pub Vec<String>);

impl fmt::Display for EnvFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration has {} fault(s):", self.0.len())?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  - {fault}"))?;
        // What was meant for a variable that is missing is half of the answer.
        self.1.iter().try_for_each(|warning| write!(f, "\n  (and {warning})"))
    }
}

impl std::error::Error for EnvFaults {}

impl Env {
    /// Reads `.env` in `directory` where there is one, and the process environment, which wins.
    ///
    /// # Errors
    /// [`EnvError`] where `.env` is there but cannot be read or parsed.
    pub fn load(directory: &Path) -> Result<Self, EnvError> {
        let path = directory.join(".env");
        let mut env = Self::default();
        if path.exists() {
            let file =
                std::fs::read_to_string(&path).map_err(|source| EnvError::File { path: path.clone(), source })?;
            // Some editors put a byte order mark first.
            let file = file.strip_prefix('\u{feff}').unwrap_or(&file);
            for pair in dotenvy::from_read_iter(file.as_bytes()) {
                let (name, text) =
                    pair.map_err(|error| EnvError::Line { path: path.clone(), line: line_of(&error, file) })?;
                if env.values.insert(name.clone(), Value { text, from_file: true }).is_some() {
                    env.fault(EnvFault::Repeated { name, file: path.display().to_string() });
                }
            }
            let is_set = |name: &str| env.values.contains_key(name) || std::env::var_os(name).is_some();
            for (index, line) in file.lines().enumerate() {
                if loses_a_dollar(line, is_set) {
                    env.fault(EnvFault::Dollar { file: path.display().to_string(), line: index + 1 });
                }
            }
            env.file = Some(path);
        }
        // A name that is no text is none of ours.
        for (name, value) in std::env::vars_os() {
            let Ok(name) = name.into_string() else { continue };
            match value.into_string() {
                Ok(text) => drop(env.values.insert(name, Value { text, from_file: false })),
                Err(_) => drop(env.unreadable.insert(name)),
            }
        }
        Ok(env)
    }

    /// A variable of the process itself, for what is no part of an application's configuration.
    pub(crate) fn process(name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }

    /// An environment of these variables alone: what a test starts from.
    pub fn from_pairs<N: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut env = Self::default();
        for (name, value) in pairs {
            env.set(name, value);
        }
        env
    }

    /// Sets a variable, as the process environment would.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        let value = Value { text: value.into(), from_file: false };
        self.values.insert(name.into(), value);
    }

    /// Sets a variable that is not set yet.
    pub fn set_default(&mut self, name: &str, value: impl Into<String>) {
        if !self.is_set(name) {
            self.set(name, value);
        }
    }

    /// Whether the variable is set to something, of whatever form.
    pub fn is_set(&self, name: &str) -> bool {
        self.unreadable.contains(name) || self.values.get(name).is_some_and(|value| !value.text.is_empty())
    }

    /// The text of a variable that another struct declares, from which a default follows. Its faults are that one's.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| &*value.text).filter(|text| !text.is_empty())
    }

    /// Declares a variable and goes on to read it. An empty value counts as not set.
    pub fn var(&self, name: &'static str, doc: &'static str) -> Variable<'_> {
        Variable { env: self, name, doc }
    }

    /// Notes a fault that concerns more than one variable's form.
    pub fn fault(&self, fault: EnvFault) {
        self.faults.lock().push(fault);
    }

    /// Every variable declared so far, by name.
    pub fn declared(&self) -> Vec<VariableInfo> {
        self.declared.lock().values().cloned().collect()
    }

    /// All faults noted so far, with the keys of `.env` that nothing has read. Returns what is only worth a
    /// warning: variables of the process that look like a slip for a declared one.
    ///
    /// # Errors
    /// [`EnvFaults`] with every fault.
    pub fn check(&self) -> Result<Vec<String>, EnvFaults> {
        let declared = self.declared.lock();
        let mut faults = self.faults.lock().clone();
        let mut warnings = Vec::new();
        let file = self.file.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        for (name, value) in &self.values {
            if declared.contains_key(name.as_str()) {
                continue;
            }
            let near = nearest(name, declared.keys().copied());
            let near = near.and_then(|near| declared.get_key_value(near)).map(|(name, _)| *name);
            match (value.from_file, near) {
                (true, nearest) => faults.push(EnvFault::Unknown { name: name.clone(), file: file.clone(), nearest }),
                // Set as well as its neighbour: two variables, not a slip.
                (false, Some(near)) if !self.values.contains_key(near) => {
                    warnings.push(format!("{name} is set but read by nothing; did you mean {near}?"));
                }
                (false, _) => {}
            }
        }
        if faults.is_empty() { Ok(warnings) } else { Err(EnvFaults(faults, warnings)) }
    }
}

/// The number of the line that dotenvy could not read.
fn line_of(error: &dotenvy::Error, file: &str) -> usize {
    let dotenvy::Error::LineParse(line, _) = error else { return 1 };
    file.find(line.as_str()).map_or(1, |start| file[..start].matches('\n').count() + 1)
}

/// A declared variable that is about to be read; made by [`Env::var`].
#[derive(Debug, Clone, Copy)]
#[must_use = "a variable is read by `or`, `between`, `required` or `optional`"]
pub struct Variable<'a> {
    env: &'a Env,
    name: &'static str,
    doc: &'static str,
}

impl Variable<'_> {
    /// The value, or `default` where it is not set.
    pub fn or<T: EnvValue>(self, default: impl Into<T>) -> T {
        let (value, source) = self.read::<T>();
        let value = value.unwrap_or_else(|| default.into());
        self.declare::<T>(Some(&value), source);
        value
    }

    /// The value, which must be in this range, or `default` where it is not set.
    ///
    /// ```
    /// use paravel::support::Env;
    ///
    /// let env = Env::from_pairs([("PAGE_SIZE", "0")]);
    /// assert_eq!(env.var("PAGE_SIZE", "Rows on a page").between(1..=100, 20_u16), 20);
    /// let faults = env.check().unwrap_err().to_string();
    /// assert!(faults.contains("PAGE_SIZE is \"0\", but must be a whole number from 1 to 100"));
    /// ```
    pub fn between<T: Bounded>(self, range: RangeInclusive<T>, default: T) -> T {
        let expected = format!("{} from {} to {}", T::KIND, range.start().show(), range.end().show());
        let (value, source) = self.read_as(&expected, |value| range.contains(value));
        let value = value.unwrap_or(default);
        self.declare_as(expected.into(), Some(&value), source);
        value
    }

    /// The value where it is set.
    pub fn optional<T: EnvValue>(self) -> Option<T> {
        let (value, source) = self.read::<T>();
        self.declare(value.as_ref(), source);
        value
    }

    /// The value; where it is not set, a fault is noted and `T`'s default returned, which is never used because
    /// the start is refused.
    pub fn required<T: EnvValue + Default>(self) -> T {
        let (value, source) = self.read::<T>();
        self.declare(value.as_ref(), source);
        if value.is_none() && source == "default" {
            self.env.fault(EnvFault::Missing { name: self.name, expected: T::EXPECTED.to_owned() });
        }
        value.unwrap_or_default()
    }

    fn read<T: EnvValue>(self) -> (Option<T>, &'static str) {
        self.read_as(T::EXPECTED, |_| true)
    }

    fn read_as<T: EnvValue>(self, expected: &str, accepts: impl Fn(&T) -> bool) -> (Option<T>, &'static str) {
        if self.env.unreadable.contains(self.name) {
            let value = "not Unicode".to_owned();
            self.env.fault(EnvFault::Wrong { name: self.name, value, expected: expected.to_owned() });
            return (None, "process");
        }
        let Some(value) = self.env.values.get(self.name).filter(|value| !value.text.is_empty()) else {
            return (None, "default");
        };
        let parsed = T::parse(&value.text).filter(accepts);
        if parsed.is_none() {
            let shown = if T::SECRET { "[redacted]".to_owned() } else { format!("{:?}", value.text) };
            self.env.fault(EnvFault::Wrong { name: self.name, value: shown, expected: expected.to_owned() });
        }
        (parsed, if value.from_file { ".env" } else { "process" })
    }

    fn declare<T: EnvValue>(self, value: Option<&T>, source: &'static str) {
        self.declare_as(T::EXPECTED.into(), value, source);
    }

    fn declare_as<T: EnvValue>(self, expected: Cow<'static, str>, value: Option<&T>, source: &'static str) {
        let info = VariableInfo { name: self.name, doc: self.doc, expected, value: value.map(T::show), source };
        self.env.declared.lock().insert(self.name, info);
    }
}

/// A duration in the largest unit of which it is a whole number, as a variable takes it.
pub(crate) fn show_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let unit = [(86_400, "d"), (3_600, "h"), (60, "m")].into_iter().find(|(size, _)| seconds.is_multiple_of(*size));
    match unit {
        _ if duration.subsec_nanos() != 0 => format!("{}ms", duration.as_millis()),
        Some((size, unit)) if seconds > 0 => format!("{}{unit}", seconds / size),
        _ => format!("{seconds}s"),
    }
}

/// What a variable can be read as.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from an environment variable",
    note = "implement `EnvValue` for it: how to parse it, and what to tell people who got it wrong"
)]
pub trait EnvValue: Sized {
    /// What a value must look like, to follow the words "must be".
    const EXPECTED: &'static str;
    /// Whether the value must never be shown.
    const SECRET: bool = false;

    /// The value, or `None` where the text is not one.
    fn parse(text: &str) -> Option<Self>;

    /// The value as `artisan env` shows it.
    fn show(&self) -> String;
}

impl EnvValue for String {
    const EXPECTED: &'static str = "text";

    fn parse(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }

    fn show(&self) -> String {
        self.clone()
    }
}

impl EnvValue for bool {
    const EXPECTED: &'static str = "true or false";

    fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Some(true),
            "false" | "0" | "no" | "off" => Some(false),
            _ => None,
        }
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

/// A value with an order, which [`Variable::between`] takes in bounds.
pub trait Bounded: EnvValue + PartialOrd {
    /// What it is, to come before its bounds.
    const KIND: &'static str;
}

impl Bounded for Duration {
    const KIND: &'static str = "a duration such as 500ms, 30s, 15m, 12h or 7d,";
}

macro_rules! whole_numbers {
    ($($type:ty => $expected:literal),+) => {$(
        impl Bounded for $type {
            const KIND: &'static str = "a whole number";
        }

        impl EnvValue for $type {
            const EXPECTED: &'static str = $expected;

            fn parse(text: &str) -> Option<Self> {
                text.parse().ok()
            }

            fn show(&self) -> String {
                self.to_string()
            }
        }
    )+};
}

whole_numbers! {
    u16 => "a whole number from 0 to 65535",
    u32 => "a whole number from 0 to 4294967295",
    u64 => "a whole number",
    usize => "a whole number"
}

impl EnvValue for Duration {
    const EXPECTED: &'static str = "a duration such as 500ms, 30s, 15m, 12h or 7d";

    fn parse(text: &str) -> Option<Self> {
        let digits = text.find(|character: char| !character.is_ascii_digit())?;
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().ok()?;
        let seconds = match unit {
            "ms" => return Some(Self::from_millis(number)),
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return None,
        };
        number.checked_mul(seconds).map(Self::from_secs)
    }

    fn show(&self) -> String {
        show_duration(*self)
    }
}
