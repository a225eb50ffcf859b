use std::sync::Arc;

use anyhow::anyhow;

use crate::{
    cache::Warmers,
    config::{CacheConfig, CacheStore},
    console::{Command, Console},
    container,
};

/// `cache:warm`
#[derive(clap::Args)]
struct CacheWarm {
    /// Run these warmers alone
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// List the warmers, and run none
    #[arg(long)]
    list: bool,
}

impl Command for CacheWarm {
    const NAME: &'static str = "cache:warm";
    const ABOUT: &'static str = "Fill the cache with what will be asked for";
    type Dependencies = (Arc<Warmers>, Arc<CacheConfig>);

    async fn run(self, (warmers, config): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        if self.list {
            return Ok(console.rows(&[("Warmer", "name"), ("What it fills the cache with", "about")], &warmers.list())?);
        }
        if matches!(config.store, CacheStore::Memory | CacheStore::Null) {
            console.warn("CACHE_STORE keeps nothing that outlives this command: no other process will find it warm");
        }
        let names: Vec<_> = self.names.iter().map(String::as_str).collect();
        let warmed = warmers.run(&names, &container::current()?, console).await.map_err(|error| anyhow!(error))?;
        Ok(console.rows(&[("Warmer", "name"), ("Values", "values")], &warmed)?)
    }
}

crate::command!(CacheWarm);
