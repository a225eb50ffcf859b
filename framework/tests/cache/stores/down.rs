//! What happens while a store does not answer.

use std::sync::Arc;

use paravel::{
    cache::{Cache, CacheError, DatabaseStore, Limit},
    config::{CacheConfig, DatabaseConfig},
    database::{Db, SqliteConn},
    support::{Env, SystemClock},
    testing::TestDatabase,
};

use super::super::HOUR;

#[tokio::test]
async fn values_are_loaded_and_nobody_gets_a_lock() {
    let own = TestDatabase::create("sqlite").unwrap().unwrap();
    let env = Env::from_pairs([("DATABASE_URL", own.url())]);
    let db = Arc::new(Db::<SqliteConn>::new(DatabaseConfig::from_env(&env)).unwrap());
    // Its tables were never made.
    let store = DatabaseStore::new(db, Arc::new(SystemClock));
    let cache = Cache::distant("default", &CacheConfig::from_env(&env), Arc::new(store), Arc::new(SystemClock));
    assert_eq!(cache.get::<u8>("a").await.unwrap(), None);
    assert!(!cache.has("a").await.unwrap());
    assert_eq!(*cache.remember("a", HOUR, async || Ok::<_, CacheError>(7_u8)).await.unwrap(), 7);
    let error = cache.add("a", 1_u8, HOUR).await.unwrap_err();
    assert!(error.to_string().starts_with("the cache `default` could not get: "), "{error}");
    assert!(matches!(cache.pull::<u8>("a").await, Err(CacheError::Store { .. })));
    assert!(matches!(cache.increment("a", 1).await, Err(CacheError::Store { .. })));
    assert!(matches!(cache.invalidate(["t"]).await, Err(CacheError::Store { .. })));
    assert!(matches!(cache.lock("l", HOUR).acquire().await, Err(CacheError::Store { .. })));
    let limiter = cache.limiter("logins", Limit::per_hour(1));
    assert!(matches!(limiter.attempt("ada").await, Err(CacheError::Store { .. })));
}
