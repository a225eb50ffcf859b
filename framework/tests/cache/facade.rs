use std::{sync::Arc, time::Duration};

use paravel::{
    cache::{Cache as Store, CacheError, Caches, Stores},
    config::{CacheConfig, CacheStore},
    container::{Container, ContainerBuilder},
    facades::Cache,
    support::{Env, SystemClock},
};

use super::HOUR;

fn app() -> Container {
    let mut app = ContainerBuilder::new();
    app.instance(Arc::new(Store::memory("default", 1 << 20)));
    app.freeze().unwrap().scope()
}

#[tokio::test]
async fn the_facade_reaches_the_cache_of_the_application_that_runs() {
    let (one, other) = (app(), app());
    one.run(async {
        Cache::put("a", 1, HOUR).await.unwrap();
        assert!(!Cache::add("a", 2, HOUR).await.unwrap());
        assert!(Cache::has("a").await.unwrap() && Cache::touch("a", HOUR).await.unwrap());
        assert_eq!(Cache::get::<i32>("a").await.unwrap().as_deref(), Some(&1));
        assert_eq!(Cache::pull::<i32>("a").await.unwrap().as_deref(), Some(&1));
        assert_eq!(Cache::many::<i32>(&["a"]).await.unwrap(), [None]);
        Cache::forever("b", 2).await.unwrap();
        assert!(Cache::forget("b").await.unwrap());
        let tagged = Cache::tags(["tag"]).unwrap();
        let load = async || Ok::<_, CacheError>(7);
        assert_eq!(*tagged.remember("c", HOUR, load).await.unwrap(), 7);
        assert_eq!(*Cache::remember_forever("c", async || Ok::<_, CacheError>(8)).await.unwrap(), 7);
        Cache::invalidate(["tag"]).await.unwrap();
        assert_eq!(*Cache::remember("c", HOUR, async || Ok::<_, CacheError>(8)).await.unwrap(), 8);
        let load = || async { Ok::<_, CacheError>(9) };
        assert_eq!(*Cache::flexible("d", HOUR, HOUR, load).await.unwrap(), 9);
        assert_eq!(Cache::increment("visits", 1).await.unwrap(), 1);
        assert!(Cache::lock("l", Duration::from_secs(1)).unwrap().acquire().await.unwrap());
        assert_eq!(Cache::stats().unwrap().entries, 3);
    })
    .await;
    let visits = other.run(async { Cache::get::<i64>("visits").await });
    assert_eq!(visits.await.unwrap(), None);
    one.run(async { Cache::flush().await }).await.unwrap();
    assert_eq!(one.run(async { Cache::stats() }).await.unwrap().entries, 0);
}

#[tokio::test]
async fn outside_any_application_it_says_so() {
    let error = Cache::get::<i32>("a").await.unwrap_err();
    assert!(error.to_string().starts_with("no application is running here"), "{error}");
    let error = Cache::remember("a", HOUR, async || Ok::<_, CacheError>(1)).await.unwrap_err();
    assert!(matches!(error, CacheError::Container(_)));
}

#[tokio::test]
async fn the_store_follows_from_the_configuration() {
    for (text, store, kept) in [("memory", CacheStore::Memory, 1), ("null", CacheStore::Null, 0)] {
        let env = Env::from_pairs([("CACHE_STORE", text), ("CACHE_MEMORY", "2000000")]);
        let config = CacheConfig::from_env(&env);
        env.check().unwrap();
        assert_eq!((config.store, config.memory), (store, 2_000_000));
        let caches = Caches::from_config(&config, &Stores::default(), &(Arc::new(SystemClock) as _)).unwrap();
        let cache = caches.default_cache();
        cache.put("a", 1, HOUR).await.unwrap();
        assert_eq!(cache.stats().entries, kept);
    }
    let env = Env::from_pairs([("CACHE_STORE", "memcached")]);
    CacheConfig::from_env(&env);
    let faults = env.check().unwrap_err().to_string();
    assert!(faults.contains("CACHE_STORE") && faults.contains("memory, redis, database, tiered or null"), "{faults}");
}

#[test]
fn a_cache_that_is_to_be_where_nothing_is_kept_is_a_fault() {
    let faults = |pairs: &[(&str, &str)]| {
        let env = Env::from_pairs(pairs.iter().copied());
        let config = CacheConfig::from_env(&env);
        env.check().unwrap();
        Caches::from_config(&config, &Stores::default(), &(Arc::new(SystemClock) as _)).unwrap_err().to_string()
    };
    assert_eq!(
        faults(&[("CACHE_STORES", "sessions=redis")]),
        "the cache `sessions` is to be kept in `redis` (CACHE_STORES), which this application has not: build it with the \
         feature `redis` of `paravel`"
    );
    assert!(faults(&[("CACHE_STORE", "database")]).starts_with("the cache `default` is to be kept in `database`"));
    for wrong in ["sessions", "sessions=rdis", "a b=memory", "a=memory,a=null", "default=null"] {
        let env = Env::from_pairs([("CACHE_STORES", wrong)]);
        CacheConfig::from_env(&env);
        assert!(env.check().unwrap_err().to_string().contains("CACHE_STORES"), "{wrong}");
    }
}
