use std::collections::BTreeMap;

use serde::Serialize;

use crate::support::{Env, EnvValue, WireFormat};

/// The cache.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct CacheConfig {
    /// `CACHE_STORE`: where values are kept: `memory` in this process, `redis` or `database` for all processes, `tiered` in
    /// this process and in Redis behind it, `null` nowhere. Default `memory`.
    pub store: CacheStore,
    /// `CACHE_STORES`: further caches by name, as `sessions=redis,pages=memory`. Default none.
    pub stores: CacheStores,
    /// `CACHE_MEMORY`: how many bytes the values in this process may take, about, from 1048576
    /// (1 MiB) up. Default 67108864 (64 MiB).
    pub memory: u64,
    /// `CACHE_FORMAT`: how values are written outside this process: `msgpack` or `json`. Default `msgpack`.
    pub format: WireFormat,
    /// `CACHE_VERSION`: a word that all keys outside this process carry. A release that shares nothing with the one before
    /// gets another. Default `1`.
    pub version: CacheVersion,
}

/// Where cached values are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum CacheStore {
    /// In this process.
    Memory,
    /// In Redis.
    Redis,
    /// In the application's database.
    Database,
    /// In this process, and in Redis behind it.
    Tiered,
    /// Nowhere: each is loaded when it is wanted.
    Null,
}

impl CacheStore {
    const ALL: [Self; 5] = [Self::Memory, Self::Redis, Self::Database, Self::Tiered, Self::Null];

    /// The word that `CACHE_STORE` uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Redis => "redis",
            Self::Database => "database",
            Self::Tiered => "tiered",
            Self::Null => "null",
        }
    }
}

impl EnvValue for CacheStore {
    const EXPECTED: &'static str = "memory, redis, database, tiered or null";

    fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.as_str() == text)
    }

    fn show(&self) -> String {
        self.as_str().to_owned()
    }
}

/// Caches by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct CacheStores(pub BTreeMap<String, CacheStore>);

impl EnvValue for CacheStores {
    const EXPECTED: &'static str =
        "names and stores as in sessions=redis,pages=memory, names of letters, digits, - and _ but for `default`";

    fn parse(text: &str) -> Option<Self> {
        let mut stores = BTreeMap::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, store) = part.split_once('=')?;
            let name = word(name.trim())?;
            // CACHE_STORE says where that one is.
            let is_default = name == "default";
            if stores.insert(name, CacheStore::parse(store.trim())?).is_some() || is_default {
                return None;
            }
        }
        Some(Self(stores))
    }

    fn show(&self) -> String {
        let stores = self.0.iter().map(|(name, store)| format!("{name}={}", store.as_str()));
        stores.collect::<Vec<_>>().join(",")
    }
}

/// What sets the keys of two releases apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct CacheVersion(pub String);

impl EnvValue for CacheVersion {
    const EXPECTED: &'static str = "up to 32 letters, digits, - and _";

    fn parse(text: &str) -> Option<Self> {
        word(text).map(Self)
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

/// A part of a key, so short and plain that no store makes anything else of it.
fn word(text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    (!text.is_empty() && text.len() <= 32 && text.chars().all(plain)).then(|| text.to_owned())
}

impl CacheConfig {
    /// Whether the default cache keeps anything.
    pub fn keeps(&self) -> bool {
        self.store != CacheStore::Null
    }

    /// Reads the fields' variables.
    pub fn from_env(env: &Env) -> Self {
        Self {
            store: env.var("CACHE_STORE", "Where cached values are kept").or(CacheStore::Memory),
            stores: env.var("CACHE_STORES", "Further caches, by name").or(CacheStores::default()),
            memory: env
                .var("CACHE_MEMORY", "Bytes that cached values may take in this process")
                .between(1 << 20..=1 << 40, 64_u64 << 20),
            format: env
                .var("CACHE_FORMAT", "How cached values are written outside this process")
                .or(WireFormat::MessagePack),
            version: env
                .var("CACHE_VERSION", "What sets the keys of two releases apart")
                .or(CacheVersion("1".to_owned())),
        }
    }
}
