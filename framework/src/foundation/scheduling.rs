//! Where an application's schedulers agree.

use std::sync::Arc;

use crate::{
    cache::{Cache, Caches, Store},
    config::{CacheConfig, CacheStore, ScheduleConfig, ScheduleStoreName},
    queue::DatabaseQueue,
    schedule::{CacheFence, Fence, ScheduleStore},
    support::{Env, EnvFault, SystemClock},
};

/// What an application's database keeps for others than itself.
pub(super) struct OfDatabase {
    /// Cached values and locks.
    pub(super) store: Arc<dyn Store>,
    /// Which runs were taken.
    pub(super) fence: Arc<dyn Fence>,
    /// The queues, until they are taken.
    pub(super) queue: Option<DatabaseQueue>,
}

/// Notes, with all other faults, a database that there is not.
pub(super) fn check_schedule_store(env: &Env, has_database: bool, config: &ScheduleConfig) {
    if config.store == Some(ScheduleStoreName::Database) && !has_database {
        let expected = "`cache`, because this application has no database".to_owned();
        env.fault(EnvFault::Wrong { name: "SCHEDULE_STORE", value: "`database`".to_owned(), expected });
    }
}

/// In the database, where there is one and nothing else is said; else in the default cache.
pub(super) fn schedule_store(
    config: &ScheduleConfig,
    cache: &CacheConfig,
    caches: &Caches,
    database: Option<&OfDatabase>,
) -> ScheduleStore {
    match database.filter(|_| config.store != Some(ScheduleStoreName::Cache)) {
        Some(database) => {
            let locks = Cache::distant("schedule", cache, Arc::clone(&database.store), Arc::new(SystemClock));
            ScheduleStore::new(Arc::clone(&database.fence), locks)
        }
        None => {
            let cache = caches.default_cache();
            let store = ScheduleStore::new(Arc::new(CacheFence::new(cache.clone())), cache.clone());
            match caches.store_of(cache.name()) {
                Some(CacheStore::Memory | CacheStore::Null) | None => store.of_this_process(),
                Some(_) => store,
            }
        }
    }
}
