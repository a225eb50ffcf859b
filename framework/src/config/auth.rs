use std::time::Duration;

use serde::Serialize;

use crate::support::Env;

const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// Passwords and tokens.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct AuthConfig {
    /// `AUTH_TOKEN_TTL`: how long a new token lasts, from `1s` to `3650d`. Default `30d`.
    #[serde(serialize_with = "super::shown::duration")]
    pub token_ttl: Duration,
    /// `HASH_MEMORY_KIB`: argon2id's memory cost `m`, in KiB, from 8 to 1048576 (1 GiB). Default 19456, OWASP's
    /// recommendation for `t = 2`.
    pub hash_memory_kib: u32,
    /// `HASH_ITERATIONS`: argon2id's time cost `t`, from 1 to 1000. Default 2.
    pub hash_iterations: u32,
    /// `HASH_CONCURRENCY`: hashes computed at once, from 1 to 1024; further ones wait. Default: the number of cores.
    pub hash_concurrency: usize,
    /// `HASH_QUEUE`: hashes that may wait before the next is refused as overload, from 0 to 65536. Default 256.
    pub hash_queue: usize,
}

impl AuthConfig {
    /// Reads the fields' variables.
    pub fn from_env(env: &Env) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            token_ttl: env
                .var("AUTH_TOKEN_TTL", "How long a new token lasts")
                .between(Duration::from_secs(1)..=10 * YEAR, Duration::from_secs(30 * 86_400)),
            hash_memory_kib: env
                .var("HASH_MEMORY_KIB", "Memory of one argon2id hash, in KiB")
                .between(8..=1_048_576, 19_456_u32),
            hash_iterations: env.var("HASH_ITERATIONS", "Passes of one argon2id hash").between(1..=1000, 2_u32),
            hash_concurrency: env.var("HASH_CONCURRENCY", "Hashes computed at once").between(1..=1024, cores.min(1024)),
            hash_queue: env.var("HASH_QUEUE", "Hashes that may wait").between(0..=65_536, 256_usize),
        }
    }
}
