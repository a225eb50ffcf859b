use std::{fmt, time::Duration};

use serde::Serialize;

use crate::support::{Env, EnvValue};

const MILLISECOND: Duration = Duration::from_millis(1);

/// Redis, where the toolkit's feature `redis` is on and something in the application uses it.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct RedisConfig {
    /// `REDIS_URL`: the server's address, `redis://user:password@host:6379/0` with the database's number at its end, or
    /// `rediss://..` by TLS, where `?sslrootcert=` names a file of the authorities that are trusted in place of the
    /// platform's, or `redis+unix:///path` of a socket, with `?db=`, `?user=` and `?pass=`. `valkey://` and `valkeys://`
    /// are the same. Default `redis://127.0.0.1:6379`.
    pub url: RedisUrl,
    /// `REDIS_PREFIX`: what every key and channel begins with, so that applications can share a server. Default:
    /// `APP_NAME` in small letters and a colon, as `paravel:`; an application that is renamed should say its old one.
    pub prefix: String,
    /// `REDIS_TIMEOUT`: how long a command may take, from `1ms` to `1h`. Default `500ms`.
    #[serde(serialize_with = "super::shown::duration")]
    pub timeout: Duration,
    /// `REDIS_CONNECT_TIMEOUT`: how long it may take to connect and log in, from `1ms` to `1h`. Default `2s`.
    #[serde(serialize_with = "super::shown::duration")]
    pub connect_timeout: Duration,
}

impl RedisConfig {
    /// Reads the fields' variables.
    pub fn from_env(env: &Env) -> Self {
        let hour = Duration::from_secs(3600);
        let prefix = Prefix::of(env.text("APP_NAME").unwrap_or("Paravel"));
        Self {
            url: env.var("REDIS_URL", "Where Redis is").or(RedisUrl("redis://127.0.0.1:6379".to_owned())),
            prefix: env.var("REDIS_PREFIX", "What every key in Redis begins with").or::<Prefix>(prefix).0,
            timeout: env
                .var("REDIS_TIMEOUT", "How long a command to Redis may take")
                .between(MILLISECOND..=hour, Duration::from_millis(500)),
            connect_timeout: env
                .var("REDIS_CONNECT_TIMEOUT", "How long it may take to connect to Redis")
                .between(MILLISECOND..=hour, Duration::from_secs(2)),
        }
    }
}

/// The address of Redis. It may carry a password, so `Debug`, `Display` and `Serialize` leave that out.
#[derive(Clone, PartialEq, Eq)]
pub struct RedisUrl(String);

impl RedisUrl {
    /// The address as it stands, password and all.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl EnvValue for RedisUrl {
    const EXPECTED: &'static str = "an address such as redis://127.0.0.1:6379 or rediss://user:password@host:6379/0";
    const SECRET: bool = true;

    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let known = ["redis", "rediss", "valkey", "valkeys", "redis+unix", "valkey+unix", "unix"].contains(&scheme);
        (known && !rest.is_empty()).then(|| Self(text.to_owned()))
    }

    fn show(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, rest) = self.0.split_once("://").unwrap_or_default();
        super::shown::address(scheme, rest, f)
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for RedisUrl {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Without what a pattern of keys would mean something else by.
struct Prefix(String);

impl Prefix {
    fn of(name: &str) -> Self {
        let words = name.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let slug = words.collect::<Vec<_>>().join("-").to_ascii_lowercase();
        Self(if slug.is_empty() { "paravel:".to_owned() } else { format!("{slug}:") })
    }
}

impl EnvValue for Prefix {
    const EXPECTED: &'static str = "up to 64 ASCII letters, digits and `:`, `-`, `_`, `.`, `{` or `}`";

    fn parse(text: &str) -> Option<Self> {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || ":-_.{}".contains(letter);
        (text.len() <= 64 && text.chars().all(plain)).then(|| Self(text.to_owned()))
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}
