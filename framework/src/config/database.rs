use std::{fmt, time::Duration};

use serde::Serialize;

use crate::support::{Env, EnvValue};

/// Where the data is.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct DatabaseConfig {
    /// `DATABASE_URL`: `sqlite://` and a path, relative to the working directory or absolute. Default
    /// `sqlite://database/database.sqlite`.
    pub url: DatabaseUrl,
    /// `DB_READERS`: connections that read at once. Default 4.
    pub readers: usize,
    /// `DB_ACQUIRE_TIMEOUT`: how long a read waits for a connection. Default `5s`.
    #[serde(serialize_with = "super::shown::duration")]
    pub acquire_timeout: Duration,
    /// `DB_WRITE_QUEUE`: writes that may wait before the next is refused as overload. Default 1024.
    pub write_queue: usize,
}

impl DatabaseConfig {
    /// Reads the fields' variables.
    pub fn from_env(env: &Env) -> Self {
        let url = DatabaseUrl("sqlite://database/database.sqlite".to_owned());
        Self {
            url: env.var("DATABASE_URL", "Where the data is").or(url),
            readers: env.var("DB_READERS", "Connections that read at once").or::<Count>(Count(4)).0,
            acquire_timeout: env
                .var("DB_ACQUIRE_TIMEOUT", "How long a read waits for a connection")
                .or(Duration::from_secs(5)),
            write_queue: env.var("DB_WRITE_QUEUE", "Writes that may wait").or::<Count>(Count(1024)).0,
        }
    }
}

/// A database's address. It may carry a password, so `Debug`, `Display` and `Serialize` leave that out.
#[derive(Clone, PartialEq, Eq)]
pub struct DatabaseUrl(String);

impl DatabaseUrl {
    /// The address as it stands, password and all.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What stands before `://`.
    pub fn scheme(&self) -> &str {
        self.0.split("://").next().unwrap_or_default()
    }

    /// What stands after `://`.
    pub fn rest(&self) -> &str {
        self.0.split_once("://").map_or("", |(_, rest)| rest)
    }
}

impl EnvValue for DatabaseUrl {
    const EXPECTED: &'static str = "sqlite:// and a path, such as sqlite://database/database.sqlite";
    // The backends of a network carry a password in their URL.
    const SECRET: bool = true;

    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        (!scheme.is_empty() && !rest.is_empty()).then(|| Self(text.to_owned()))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rest().rsplit_once('@') {
            Some((_, host)) => write!(f, "{}://[redacted]@{host}", self.scheme()),
            None => f.write_str(&self.0),
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for DatabaseUrl {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

struct Count(usize);

impl EnvValue for Count {
    const EXPECTED: &'static str = "a whole number from 1 to 65536";

    fn parse(text: &str) -> Option<Self> {
        let count = text.parse().ok()?;
        (1..=65_536).contains(&count).then_some(Self(count))
    }

    fn show(&self) -> String {
        self.0.to_string()
    }
}
