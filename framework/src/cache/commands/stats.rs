use std::sync::Arc;

use serde::Serialize;

use super::chosen;
use crate::{
    cache::Caches,
    console::{Command, Console},
};

/// `cache:stats`
#[derive(clap::Args)]
struct CacheStatsCommand {
    /// Show this cache alone
    #[arg(long, value_name = "NAME")]
    store: Option<String>,
}

#[derive(Serialize)]
struct Line<'a> {
    cache: &'a str,
    store: &'static str,
    /// Whether the store answers; nothing where there is none outside this process.
    is_up: Option<bool>,
    entries: Option<u64>,
    bytes: Option<u64>,
    error: Option<String>,
}

impl Command for CacheStatsCommand {
    const NAME: &'static str = "cache:stats";
    const ABOUT: &'static str = "Show what the caches hold outside the memory of processes";
    type Dependencies = (Arc<Caches>,);

    async fn run(self, (caches,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        let mut lines = Vec::new();
        for cache in chosen(&caches, self.store.as_deref())? {
            let usage = cache.usage().await;
            let store = caches.store_of(cache.name()).map_or("-", |store| store.as_str());
            let (usage, error) = match usage {
                Ok(usage) => (usage, None),
                Err(error) => (None, Some(error.to_string())),
            };
            lines.push(Line {
                cache: cache.name(),
                store,
                is_up: cache.stats().store.map(|store| store.is_up && error.is_none()),
                entries: usage.as_ref().map(|usage| usage.entries),
                bytes: usage.and_then(|usage| usage.bytes),
                error,
            });
        }
        let columns =
            [("Cache", "cache"), ("Store", "store"), ("Up", "is_up"), ("Entries", "entries"), ("Bytes", "bytes")];
        for error in lines.iter().filter_map(|line| line.error.as_deref()) {
            console.warn(error);
        }
        Ok(console.rows(&columns, &lines)?)
    }
}

crate::command!(CacheStatsCommand);
