//! What a shared cache has of rows that a command has dropped: nothing.

use crate::support::Binary;
#[cfg(feature = "redis")]
use crate::support::{ADMIN, OwnRedis, PASSWORD, ask};

/// The commands that drop rows.
const DROP: [&str; 5] = ["migrate:fresh", "migrate:refresh", "migrate:rollback", "migrate:reset", "db:wipe"];

const CLEARED: &str = "Cleared the cache `default`, which was made of what is gone.\n";

#[cfg(feature = "redis")]
#[tokio::test]
async fn what_drops_rows_clears_the_cache_in_redis_under_its_own_prefix() -> anyhow::Result<()> {
    let Some(redis) = OwnRedis::start().await? else { return Ok(()) };
    let binary = Binary::seeded().await?.env("CACHE_STORE", "redis").env("REDIS_URL", &redis.url());
    let other = Binary::seeded().await?.env("CACHE_STORE", "redis").env("REDIS_URL", &redis.url());
    let other = other.env("REDIS_PREFIX", "other:");
    other.done(&["cache:warm", "users"]).await?;
    let others = redis.keys("other:*").await?;
    assert!(!others.is_empty());
    for command in DROP {
        binary.done(&["migrate", "--seed"]).await?;
        binary.done(&["cache:warm", "users"]).await?;
        assert!(!redis.keys("paravel:cache:k:*").await?.is_empty());
        let said = binary.done(&[command]).await?.out;
        assert!(said.contains(CLEARED), "{command}: {said}");
        assert_eq!(redis.keys("paravel:*").await?, [""; 0], "{command}");
    }
    // Nothing was taken back, so nothing is gone.
    let said = binary.done(&["migrate:rollback"]).await?.out;
    assert_eq!(said, "Nothing to do.\n");
    assert_eq!(redis.keys("other:*").await?.len(), others.len());
    Ok(())
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn nobody_is_there_after_a_fresh_start_who_was_before() -> anyhow::Result<()> {
    let Some(redis) = OwnRedis::start().await? else { return Ok(()) };
    let binary = Binary::seeded().await?.env("CACHE_STORE", "tiered").env("REDIS_URL", &redis.url());
    let server = binary.serve().await?;
    let login = serde_json::json!({"email": ADMIN, "password": PASSWORD});
    let login = ask(server.address, "POST", "/api/v1/auth/login", "", Some(&login)).await?.json()?;
    let token = login["token"].as_str().unwrap_or_default();
    for _ in 0..2 {
        ask(server.address, "GET", "/api/v1/me", token, None).await?.json()?;
    }
    let binary = binary.env("DEMO_USERS", "3");
    for round in 0..2 {
        binary.done(&["migrate:fresh", "--seed"]).await?;
        // The seeder looks whether its users are there, in the cache first.
        binary.done(&["db:seed", "--class", "demo"]).await?;
        assert_eq!(binary.count("users").await?, 4, "round {round}");
        binary.done(&["cache:warm", "users"]).await?;
    }
    // The server has heard of it.
    let began = tokio::time::Instant::now();
    while ask(server.address, "GET", "/api/v1/me", token, None).await?.status != 401 {
        assert!(began.elapsed().as_secs() < 20, "whoever is gone has a token that counts");
    }
    Ok(())
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn rows_are_dropped_though_the_cache_cannot_be_reached() -> anyhow::Result<()> {
    let binary = Binary::seeded().await?.env("CACHE_STORE", "redis").env("REDIS_URL", "redis://127.0.0.1:1");
    for command in DROP {
        binary.done(&["migrate"]).await?;
        let ended = binary.done(&[command]).await?;
        assert!(!ended.out.contains(CLEARED), "{command}: {ended:?}");
        let warned = "What is gone is still in the cache `default`: the cache `default` could not flush: ";
        assert!(ended.out.contains(warned) && ended.out.contains("REDIS_URL"), "{command}: {ended:?}");
    }
    assert!(binary.tables().await?.is_empty());
    let json = binary.done(&["db:wipe", "--json"]).await?;
    assert_eq!((json.out.trim(), json.err.contains("What is gone is still in the cache")), ("[]", true), "{json:?}");
    Ok(())
}

#[tokio::test]
async fn a_cache_in_the_same_database_goes_with_it() -> anyhow::Result<()> {
    let binary = Binary::seeded().await?.env("CACHE_STORE", "database").env("CACHE_STORES", "pages=null,here=memory");
    for command in DROP {
        binary.done(&["migrate", "--seed"]).await?;
        binary.done(&["cache:warm", "users"]).await?;
        assert!(binary.count("cache_entries").await? > 0, "{command}");
        let said = binary.done(&[command]).await?.out;
        assert!(!said.contains("still in") && !said.contains("`pages`") && !said.contains("`here`"), "{said}");
        // Where its tables are left, or made anew, they are empty.
        if binary.tables().await?.iter().any(|table| table == "cache_entries") {
            assert_eq!(binary.count("cache_entries").await?, 0, "{command}");
        }
    }
    // One that stays is cleared.
    binary.done(&["migrate", "--step", "--seed"]).await?;
    binary.done(&["cache:warm", "users"]).await?;
    let said = binary.done(&["migrate:rollback"]).await?.out;
    assert!(said.contains(CLEARED), "{said}");
    assert_eq!(binary.count("cache_entries").await?, 0);
    Ok(())
}
