use std::time::Duration;

use serde::Serialize;

use crate::support::Env;

/// Passwords and tokens.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct AuthConfig {
    /// `AUTH_TOKEN_TTL`: how long a new token lasts. Default `30d`.
    #[serde(serialize_with = "super::shown::duration")]
    pub token_ttl: Duration,
    /// `HASH_MEMORY_KIB`: argon2id's memory cost `m`, in KiB. Default 19456, OWASP's recommendation for `t = 2`.
    pub hash_memory_kib: u32,
    /// `HASH_ITERATIONS`: argon2id's time cost `t`. Default 2.
    pub hash_iterations: u32,
    /// `HASH_CONCURRENCY`: hashes computed at once; further ones wait. Default: the number of cores.
    pub hash_concurrency: usize,
    /// `HASH_QUEUE`: hashes that may wait before the next is refused as overload. Default 256.
    pub hash_queue: usize,
}

impl AuthConfig {
    /// Reads the fields' variables.
    pub fn from_env(env: &Env) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            token_ttl: env.var("AUTH_TOKEN_TTL", "How long a new token lasts").or(Duration::from_secs(30 * 86_400)),
            hash_memory_kib: env.var("HASH_MEMORY_KIB", "Memory of one argon2id hash, in KiB").or(19_456_u32),
            hash_iterations: env.var("HASH_ITERATIONS", "Passes of one argon2id hash").or(2_u32),
            hash_concurrency: env.var("HASH_CONCURRENCY", "Hashes computed at once").or(cores),
            hash_queue: env.var("HASH_QUEUE", "Hashes that may wait").or(256_usize),
        }
    }
}
