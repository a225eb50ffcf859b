use futures_util::future::{BoxFuture, FutureExt};

use super::Caches;
use crate::{
    config::CacheStore,
    database::{DerivedData, Forgotten},
};

/// The table that the values in a database are in.
const TABLE: &str = "cache_entries";

impl DerivedData for Caches {
    fn forget<'a>(&'a self, tables: &'a [String]) -> BoxFuture<'a, Vec<Forgotten>> {
        async move {
            let mut forgotten = Vec::new();
            for cache in self.all() {
                let store = self.store_of(cache.name());
                if store == Some(CacheStore::Database) && !tables.iter().any(|table| table == TABLE) {
                    continue;
                }
                let done = cache.flush().await;
                // Of what is in this process alone nobody else has anything.
                if !matches!(store, Some(CacheStore::Memory | CacheStore::Null)) {
                    forgotten.push(Forgotten::new(format!("the cache `{}`", cache.name()), done));
                }
            }
            forgotten
        }
        .boxed()
    }
}
