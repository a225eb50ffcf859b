use serde::Serialize;

use crate::support::{Env, EnvValue};

/// The cache.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct CacheConfig {
    /// `CACHE_STORE`: where values are kept: `memory` in this process, `null` nowhere. Default `memory`.
    pub store: CacheStore,
    /// `CACHE_MEMORY`: how many bytes the values in this process may take, about, from 1048576
    /// (1 MiB) up. Default 67108864 (64 MiB).
    pub memory: u64,
}

/// Where cached values are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum CacheStore {
    /// In this process.
    Memory,
    /// Nowhere: each is loaded when it is wanted.
    Null,
}

impl EnvValue for CacheStore {
    const EXPECTED: &'static str = "memory or null";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "memory" => Some(Self::Memory),
            "null" => Some(Self::Null),
            _ => None,
        }
    }

    fn show(&self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

impl CacheConfig {
    /// Reads the fields' variables.
    pub fn from_env(env: &Env) -> Self {
        Self {
            store: env.var("CACHE_STORE", "Where cached values are kept").or(CacheStore::Memory),
            memory: env
                .var("CACHE_MEMORY", "Bytes that cached values may take in this process")
                .between(1 << 20..=1 << 40, 64_u64 << 20),
        }
    }
}
