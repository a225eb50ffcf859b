use std::{any::Any, sync::Arc, time::Duration};

use paravel::{
    cache::{Cache, DatabaseStore, Store},
    config::{CacheConfig, DatabaseConfig},
    database::{Connection, Db, Migrator, TOOLKIT_MIGRATIONS},
    support::{Env, SystemClock},
    testing::TestDatabase,
};
use tokio::time::Instant;

use super::transactions::Transactions;

/// Caches over one store of a test's own.
pub struct Stand {
    pub store: Option<Arc<dyn Store>>,
    near: bool,
    // Whether it says what others change.
    tells: bool,
    /// The database that it is in.
    pub database: Option<Arc<dyn Transactions>>,
    // What goes with the test.
    _kept: Box<dyn Any + Send + Sync>,
}

impl Stand {
    /// A cache as another process would have it.
    pub async fn cache(&self) -> Cache {
        self.named("default", &[]).await
    }

    /// One of this name, which hears of what others change where it can be heard of.
    pub async fn named(&self, name: &str, more: &[(&str, &str)]) -> Cache {
        let Some(store) = &self.store else { return Cache::memory(name, 64 << 20) };
        let env = Env::from_pairs(more.iter().copied());
        let (config, store, clock) = (CacheConfig::from_env(&env), Arc::clone(store), Arc::new(SystemClock));
        env.check().unwrap();
        let cache = match self.near {
            true => Cache::tiered(name, &config, store, clock),
            false => Cache::distant(name, &config, store, clock),
        };
        if self.tells {
            until(async || {
                cache.get::<u8>("probe:").await.unwrap();
                cache.stats().store.is_some_and(|store| store.hears)
            })
            .await;
        }
        cache
    }

    pub fn store(&self) -> &Arc<dyn Store> {
        self.store.as_ref().unwrap()
    }
}

pub async fn memory() -> Option<Stand> {
    Some(Stand { store: None, near: false, tells: false, database: None, _kept: Box::new(()) })
}

pub async fn database<C: Connection>() -> Option<Stand> {
    let own = TestDatabase::create(C::BACKEND).unwrap()?;
    let db = Arc::new(Db::<C>::new(DatabaseConfig::from_env(&Env::from_pairs([("DATABASE_URL", own.url())]))).unwrap());
    Migrator::new(Arc::clone(&db) as _, Arc::new(SystemClock), TOOLKIT_MIGRATIONS).migrate().await.unwrap();
    let store = DatabaseStore::new(Arc::clone(&db), Arc::new(SystemClock));
    // The database is closed before it is deleted.
    let (store, database) = (Some(Arc::new(store) as _), Some(Arc::clone(&db) as _));
    Some(Stand { store, near: false, tells: false, database, _kept: Box::new((db, own)) })
}

#[cfg(feature = "redis")]
pub async fn redis() -> Option<Stand> {
    let redis = Arc::new(crate::redis::shared()?);
    let store = Arc::new(paravel::cache::RedisStore::new(redis));
    Some(Stand { store: Some(store), near: false, tells: true, database: None, _kept: Box::new(()) })
}

#[cfg(feature = "redis")]
pub async fn tiered() -> Option<Stand> {
    Some(Stand { near: true, ..redis().await? })
}

/// Waits until something holds, which it has to within a time that no machine is too slow for.
pub async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !holds().await {
        assert!(Instant::now() < deadline, "it does not come to hold");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}
