use std::{fmt, time::Duration};

use serde::Serialize;

use crate::support::{Env, EnvValue};

const DAY: Duration = Duration::from_secs(86_400);

/// Where the data is.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct DatabaseConfig {
    /// `DATABASE_URL`: `sqlite://` and a path, relative to the working directory or absolute, or the address of a
    /// server, such as `postgres://user:password@host/database`. `sslmode=require` (or `ssl-mode=REQUIRED`) in its query
    /// asks for TLS, and `sslrootcert` (or `ssl-ca`) names a file of the authorities that are trusted. Default
    /// `sqlite://database/database.sqlite`.
    pub url: DatabaseUrl,
    /// `DB_READ_URL`: the address of a replica of that server, which is read from. None by default.
    pub read_url: Option<DatabaseUrl>,
    /// `DB_READERS`: connections that read at once. Default 4.
    pub readers: usize,
    /// `DB_WRITERS`: connections to a server that run transactions at once. SQLite has one writer. While all of them are taken there is
    /// one more, for what says that a worker of the queue is alive. Default 4.
    pub writers: usize,
    /// `DB_IDLE_TIMEOUT`: how long a connection to a server is kept unused, from `1ms` to `1d`. Default `10m`.
    #[serde(serialize_with = "super::shown::duration")]
    pub idle_timeout: Duration,
    /// `DB_MAX_LIFETIME`: how long a connection to a server is used at most, from `1s` to `30d`. Default `30m`.
    #[serde(serialize_with = "super::shown::duration")]
    pub max_lifetime: Duration,
    /// `DB_ACQUIRE_TIMEOUT`: how long to wait for a connection, from `1ms` to `1h`. Default `5s`.
    #[serde(serialize_with = "super::shown::duration")]
    pub acquire_timeout: Duration,
    /// `DB_WRITE_QUEUE`: writes that may wait before the next is refused as overload. Default 1024.
    pub write_queue: usize,
    /// `DB_WATCH`: whether each request's queries are looked at, so that repeated ones are found. By default they are
    /// everywhere but in production.
    pub watch: Option<bool>,
    /// `DB_SLOW_QUERY`: from how long on a query is logged as slow, up to `1d`. Default `100ms`.
    #[serde(serialize_with = "super::shown::duration")]
    pub slow_query: Duration,
    /// `DB_N_PLUS_ONE`: how often the same query runs in one request before it is reported. Default 10.
    pub n_plus_one: usize,
}

impl DatabaseConfig {
    /// Reads the fields' variables.
    pub fn from_env(env: &Env) -> Self {
        let url = DatabaseUrl("sqlite://database/database.sqlite".to_owned());
        Self {
            url: env.var("DATABASE_URL", "Where the data is").or(url),
            read_url: env.var("DB_READ_URL", "A replica of the server, which is read from").optional(),
            readers: env.var("DB_READERS", "Connections that read at once").or::<Count>(Count(4)).0,
            writers: env.var("DB_WRITERS", "Connections to a server that write at once").or::<Count>(Count(4)).0,
            idle_timeout: env
                .var("DB_IDLE_TIMEOUT", "How long a connection to a server is kept unused")
                .between(Duration::from_millis(1)..=DAY, Duration::from_secs(600)),
            max_lifetime: env
                .var("DB_MAX_LIFETIME", "How long a connection to a server is used at most")
                .between(Duration::from_secs(1)..=30 * DAY, Duration::from_secs(1800)),
            acquire_timeout: env
                .var("DB_ACQUIRE_TIMEOUT", "How long to wait for a connection")
                .between(Duration::from_millis(1)..=DAY / 24, Duration::from_secs(5)),
            write_queue: env.var("DB_WRITE_QUEUE", "Writes that may wait").or::<Count>(Count(1024)).0,
            watch: env.var("DB_WATCH", "Whether queries are watched").optional(),
            slow_query: env
                .var("DB_SLOW_QUERY", "From how long on a query is logged as slow")
                .between(Duration::ZERO..=DAY, Duration::from_millis(100)),
            n_plus_one: env
                .var("DB_N_PLUS_ONE", "How often a query runs in a request before it is reported")
                .or::<Count>(Count(10))
                .0,
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

    /// The backend that what stands before `://` means.
    pub fn scheme(&self) -> &str {
        match self.0.split("://").next().unwrap_or_default() {
            "postgresql" => "postgres",
            "mariadb" => "mysql",
            scheme => scheme,
        }
    }

    /// What stands after `://`.
    pub fn rest(&self) -> &str {
        self.0.split_once("://").map_or("", |(_, rest)| rest)
    }
}

impl EnvValue for DatabaseUrl {
    const EXPECTED: &'static str =
        "an address such as sqlite://database/database.sqlite or postgres://user:password@host/database";
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
        if self.scheme() == "sqlite" {
            return f.write_str(&self.0);
        }
        super::shown::address(self.scheme(), self.rest(), f)
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
