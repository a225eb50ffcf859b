use std::time::Duration;

use serde::Serialize;

use super::shown;
use crate::support::{Env, EnvValue};

/// The queue.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct QueueConfig {
    /// `QUEUE_CONNECTION`: where jobs wait: `memory` in this process, or `sync` nowhere: they run where they are dispatched.
    /// Default `memory`.
    pub connection: QueueConnection,
    /// `QUEUE_CONCURRENCY`: how many jobs a worker runs at once, from 1 to 1000. Default 32.
    pub concurrency: usize,
    /// `QUEUE_GRACE`: how long jobs that run may go on when the worker is stopped, before they are put back. Default 10s.
    #[serde(serialize_with = "shown::duration")]
    pub grace: Duration,
    /// `QUEUE_FORMAT`: how jobs are written: `msgpack` or `json`. Default `msgpack`.
    pub format: QueueFormat,
}

/// Where jobs wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum QueueConnection {
    /// In this process, and gone with it.
    Memory,
    /// Nowhere: each runs where it is dispatched.
    Sync,
}

impl EnvValue for QueueConnection {
    const EXPECTED: &'static str = "memory or sync";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "memory" => Some(Self::Memory),
            "sync" => Some(Self::Sync),
            _ => None,
        }
    }

    fn show(&self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

/// How jobs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum QueueFormat {
    /// MessagePack, with the fields' names.
    #[serde(rename = "msgpack")]
    MessagePack,
    /// JSON, which people can read.
    Json,
}

impl EnvValue for QueueFormat {
    const EXPECTED: &'static str = "msgpack or json";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "msgpack" => Some(Self::MessagePack),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    fn show(&self) -> String {
        match self {
            Self::MessagePack => "msgpack".to_owned(),
            Self::Json => "json".to_owned(),
        }
    }
}

impl QueueConfig {
    /// Reads the fields' variables.
    pub fn from_env(env: &Env) -> Self {
        Self {
            connection: env.var("QUEUE_CONNECTION", "Where jobs wait").or(QueueConnection::Memory),
            concurrency: env.var("QUEUE_CONCURRENCY", "Jobs that a worker runs at once").between(1..=1000, 32_usize),
            grace: env
                .var("QUEUE_GRACE", "How long jobs may go on when their worker is stopped")
                .between(Duration::ZERO..=Duration::from_secs(3600), Duration::from_secs(10)),
            format: env.var("QUEUE_FORMAT", "How jobs are written").or(QueueFormat::MessagePack),
        }
    }
}
