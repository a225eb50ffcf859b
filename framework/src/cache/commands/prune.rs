use std::sync::Arc;

use serde::Serialize;

use super::chosen;
use crate::{
    cache::Caches,
    console::{Command, Console},
};

/// `cache:prune`
#[derive(clap::Args)]
struct CachePrune {
    /// Prune this cache alone
    #[arg(long, value_name = "NAME")]
    store: Option<String>,
}

#[derive(Serialize)]
struct Line<'a> {
    cache: &'a str,
    pruned: u64,
}

impl Command for CachePrune {
    const NAME: &'static str = "cache:prune";
    const ABOUT: &'static str = "Take out what has ended, which a database does not do by itself";
    type Dependencies = (Arc<Caches>,);

    async fn run(self, (caches,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        let mut lines = Vec::new();
        for cache in chosen(&caches, self.store.as_deref())? {
            lines.push(Line { cache: cache.name(), pruned: cache.prune().await? });
        }
        Ok(console.rows(&[("Cache", "cache"), ("Pruned", "pruned")], &lines)?)
    }
}

crate::command!(CachePrune);
