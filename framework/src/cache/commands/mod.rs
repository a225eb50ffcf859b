//! The console's `cache:` commands.

mod clear;
mod forget;
mod prune;
mod stats;
mod warm;

use std::sync::Arc;

use super::{Cache, CacheError, Caches};
use crate::{config::CacheStore, console::Console};

/// The caches that a command is about: the one that is named, or all.
fn chosen<'a>(caches: &'a Arc<Caches>, name: Option<&str>) -> Result<Vec<&'a Cache>, CacheError> {
    match name {
        Some(name) => Ok(vec![caches.named(name)?]),
        None => Ok(caches.all().collect()),
    }
}

/// Says of caches in memory that this process has one of its own.
fn warn_of_memory(console: &mut Console, caches: &Caches, chosen: &[&Cache]) {
    for cache in chosen.iter().filter(|cache| caches.store_of(cache.name()) == Some(CacheStore::Memory)) {
        let name = cache.name();
        console
            .warn(format!("the cache `{name}` is in the memory of each process: what the server has is not reached"));
    }
}
