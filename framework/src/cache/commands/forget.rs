use std::sync::Arc;

use serde::Serialize;

use super::warn_of_memory;
use crate::{
    cache::{Cache, Caches},
    console::{Command, Console},
};

/// `cache:forget`
#[derive(clap::Args)]
struct CacheForget {
    /// The key
    key: String,
    /// In this cache, and not in the default one
    #[arg(long, value_name = "NAME", default_value = "default")]
    store: String,
}

#[derive(Serialize)]
struct Line<'a> {
    key: &'a str,
    change: &'static str,
}

impl Command for CacheForget {
    const NAME: &'static str = "cache:forget";
    const ABOUT: &'static str = "Take one value out of a cache";
    type Dependencies = (Arc<Caches>,);

    async fn run(self, (caches,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        let cache: &Cache = caches.named(&self.store)?;
        warn_of_memory(console, &caches, &[cache]);
        let change = if cache.forget(&self.key).await? { "forgotten" } else { "was not there" };
        Ok(console.rows(&[("Key", "key"), ("Change", "change")], &[Line { key: &self.key, change }])?)
    }
}

crate::command!(CacheForget);
