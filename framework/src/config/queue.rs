use std::time::Duration;

use serde::Serialize;

use super::shown;
use crate::support::{Env, EnvValue, WireFormat};

/// The queue.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct QueueConfig {
    /// `QUEUE_CONNECTION`: where jobs wait: in the application's `database`, in `redis`, in the `memory` of this process, or with
    /// `sync` nowhere: they run where they are dispatched. Default `database` where the application has one, else `memory`.
    pub connection: Option<QueueConnection>,
    /// `QUEUE_SERVE`: whether `serve` works on the queues too, so that no other process is needed. Default: where they are in
    /// this process or in an SQLite file.
    pub serve: Option<bool>,
    /// `QUEUE_QUEUES`: the queues that workers work on, separated by commas; `mail:3,default:1` has them take turns in that
    /// proportion, and without numbers the first that has anything comes first. Default: all that the application's jobs and
    /// listeners name, `default` first.
    pub queues: Option<QueueNames>,
    /// `QUEUE_CONCURRENCY`: how many jobs a worker runs at once, from 1 to 1000. Default 32.
    pub concurrency: usize,
    /// `QUEUE_PREFETCH`: how many jobs a worker has waiting at most beside those it runs, from 0 to 10000. It has only as many as
    /// it will begin with within 10 ms at its present pace. Default 500.
    pub prefetch: usize,
    /// `QUEUE_GRACE`: how long jobs that run may go on when the worker is stopped, before they are put back. Default 10s.
    #[serde(serialize_with = "shown::duration")]
    pub grace: Duration,
    /// `QUEUE_FORMAT`: how jobs are written: `msgpack` or `json`. Default `msgpack`.
    pub format: WireFormat,
}

/// Where jobs wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum QueueConnection {
    /// In the application's database.
    Database,
    /// In Redis.
    Redis,
    /// In this process, and gone with it.
    Memory,
    /// Nowhere: each runs where it is dispatched.
    Sync,
}

/// Names of queues, with or without weights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct QueueNames(pub Vec<String>);

impl EnvValue for QueueNames {
    const EXPECTED: &'static str = "names of queues separated by commas, as in mail:3,default";

    fn parse(text: &str) -> Option<Self> {
        let names: Vec<_> = text.split(',').map(|name| name.trim().to_owned()).collect();
        (!names.iter().any(String::is_empty)).then_some(Self(names))
    }

    fn show(&self) -> String {
        self.0.join(",")
    }
}

impl EnvValue for QueueConnection {
    const EXPECTED: &'static str = "database, redis, memory or sync";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "database" => Some(Self::Database),
            "redis" => Some(Self::Redis),
            "memory" => Some(Self::Memory),
            "sync" => Some(Self::Sync),
            _ => None,
        }
    }

    fn show(&self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

impl QueueConfig {
    /// Reads the fields' variables.
    pub fn from_env(env: &Env) -> Self {
        Self {
            connection: env.var("QUEUE_CONNECTION", "Where jobs wait").optional(),
            serve: env.var("QUEUE_SERVE", "Whether `serve` works on the queues too").optional(),
            queues: env.var("QUEUE_QUEUES", "The queues that workers work on").optional(),
            concurrency: env.var("QUEUE_CONCURRENCY", "Jobs that a worker runs at once").between(1..=1000, 32_usize),
            prefetch: env
                .var("QUEUE_PREFETCH", "Jobs that a worker has waiting at most beside those it runs")
                .between(0..=10_000, 500_usize),
            grace: env
                .var("QUEUE_GRACE", "How long jobs may go on when their worker is stopped")
                .between(Duration::ZERO..=Duration::from_secs(3600), Duration::from_secs(10)),
            format: env.var("QUEUE_FORMAT", "How jobs are written").or(WireFormat::MessagePack),
        }
    }
}
