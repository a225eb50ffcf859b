use std::sync::Arc;

use serde::Serialize;

use super::{chosen, warn_of_memory};
use crate::{
    cache::Caches,
    console::{Command, Console},
};

/// `cache:clear`
#[derive(clap::Args)]
struct CacheClear {
    /// Clear this cache alone
    #[arg(long, value_name = "NAME")]
    store: Option<String>,
    /// Clear what has one of these tags, and leave the rest
    #[arg(long, value_name = "TAG", value_delimiter = ',')]
    tags: Vec<String>,
}

#[derive(Serialize)]
struct Line<'a> {
    cache: &'a str,
    change: &'static str,
}

impl Command for CacheClear {
    const NAME: &'static str = "cache:clear";
    const ABOUT: &'static str = "Take everything out of the caches; locks and limits stay";
    type Dependencies = (Arc<Caches>,);

    async fn run(self, (caches,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        let chosen = chosen(&caches, self.store.as_deref())?;
        warn_of_memory(console, &caches, &chosen);
        for cache in &chosen {
            match self.tags.is_empty() {
                true => cache.flush().await?,
                false => cache.invalidate(&self.tags).await?,
            }
        }
        let change = if self.tags.is_empty() { "cleared" } else { "invalidated" };
        let lines: Vec<_> = chosen.iter().map(|cache| Line { cache: cache.name(), change }).collect();
        Ok(console.rows(&[("Cache", "cache"), ("Change", "change")], &lines)?)
    }
}

crate::command!(CacheClear);
