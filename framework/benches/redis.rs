//! What the cache in Redis costs beside a bare redis-rs, and what compression saves.
//!
//! `TEST_REDIS_URL=redis://127.0.0.1:6379 cargo bench -p paravel --bench redis --features redis`

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod machine;

use std::{
    error::Error,
    sync::Arc,
    time::{Duration, Instant},
};

use paravel::{
    cache::{Cache, RedisStore},
    config::{CacheConfig, RedisConfig},
    redis::{Redis, cmd},
    support::{Env, Id, SystemClock},
};
use serde::{Deserialize, Serialize};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Calls of one turn, one after the other: what counts is the round trip.
const CALLS: usize = 20_000;
/// The best turn of each counts, which is the one least disturbed.
const TURNS: usize = 5;
const TAGGED: usize = 100_000;
const HOUR: Duration = Duration::from_secs(3600);

/// A user as an application's cache has it.
#[derive(Serialize, Deserialize)]
struct User {
    id: Id<()>,
    name: String,
    email: String,
    created_at: String,
    updated_at: String,
    roles: Vec<Role>,
}

#[derive(Serialize, Deserialize)]
struct Role {
    id: Id<()>,
    name: String,
    description: Option<String>,
    created_at: String,
    updated_at: String,
}

fn user(roles: usize) -> User {
    let at = || "2026-11-21T09:15:30.123456Z".to_owned();
    let role = |number| Role {
        id: Id::new(),
        name: format!("role {number}"),
        description: Some(format!("May do what is asked of number {number}")),
        created_at: at(),
        updated_at: at(),
    };
    User {
        id: Id::new(),
        name: "Lucy Pevensie".to_owned(),
        email: "lucy@example.com".to_owned(),
        created_at: at(),
        updated_at: at(),
        roles: (0..roles).map(role).collect(),
    }
}

async fn per_call(mut call: impl AsyncFnMut() -> Result<()>) -> Result<Duration> {
    let mut best = Duration::MAX;
    for _ in 0..TURNS {
        let started = Instant::now();
        for _ in 0..CALLS {
            call().await?;
        }
        best = best.min(started.elapsed() / u32::try_from(CALLS)?);
    }
    Ok(best)
}

fn main() -> Result<()> {
    // `cargo test --benches` only wants to see it compile.
    if std::env::args().any(|argument| argument == "--test") {
        return Ok(());
    }
    machine::print();
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?.block_on(run())
}

async fn run() -> Result<()> {
    let url = std::env::var("TEST_REDIS_URL").map_err(|_| "TEST_REDIS_URL names the server")?;
    let prefix = format!("bench-{}:", Id::<()>::new());
    let env = Env::from_pairs([("REDIS_URL", url.as_str()), ("REDIS_PREFIX", prefix.as_str())]);
    let redis = Arc::new(Redis::new(&RedisConfig::from_env(&env))?);
    let (config, clock) = (CacheConfig::from_env(&env), Arc::new(SystemClock));
    let store = Arc::new(RedisStore::new(Arc::clone(&redis)));
    let cache = Cache::distant("bench", &config, Arc::clone(&store) as _, Arc::clone(&clock) as _);
    let tiered = Cache::tiered("bench", &config, store, clock);

    let client = ::redis::Client::open(url.as_str())?;
    let mut bare = client.get_connection_manager().await?;
    let bytes = serde_json::to_vec(&user(3))?;
    () = cmd("SET").arg(format!("{prefix}bare")).arg(&bytes).query_async(&mut bare).await?;
    cache.put("plain", user(3), HOUR).await?;
    cache.tags(["users", "users:7"]).put("tagged", user(3), HOUR).await?;

    let get = per_call(async || {
        let _: Vec<u8> = cmd("GET").arg(format!("{prefix}bare")).query_async(&mut bare).await?;
        Ok(())
    });
    let get = get.await?;
    println!("a bare GET of {} bytes: {get:?}", bytes.len());
    let shown = |what: &str, took: Duration| {
        println!("{what}: {took:?}, {:.2} times a bare GET (budget 1.2)", took.as_secs_f64() / get.as_secs_f64());
    };
    shown("a hit", per_call(async || cache.get::<User>("plain").await.map(drop).map_err(Into::into)).await?);
    let tagged = cache.tags(["users", "users:7"]);
    shown(
        "a hit with two tags",
        per_call(async || tagged.get::<User>("tagged").await.map(drop).map_err(Into::into)).await?,
    );
    // Until changes are heard of, and it is kept in the process.
    while tiered.get::<User>("plain").await?.is_some() && tiered.stats().entries == 0 {
        tokio::task::yield_now().await;
    }
    let near = per_call(async || tiered.get::<User>("plain").await.map(drop).map_err(Into::into)).await?;
    println!("a hit in the tier before it: {near:?}");

    for number in 0..TAGGED {
        if number % 10_000 == 0 {
            tokio::task::yield_now().await;
        }
        cache.tags(["all"]).put(&number.to_string(), 1_u8, HOUR).await?;
    }
    let started = Instant::now();
    cache.invalidate(["all"]).await?;
    println!("invalidating a tag of {TAGGED} entries: {:?} (budget 1 ms)", started.elapsed());

    for roles in [3, 5, 10, 20] {
        let (json, user) = (serde_json::to_vec(&user(roles))?, user(roles));
        cache.flush().await?;
        cache.put("one", user, HOUR).await?;
        let kept = cache.usage().await?.and_then(|usage| usage.bytes).unwrap_or_default();
        println!("a user with {roles} roles: {} bytes of JSON, {kept} bytes kept", json.len());
    }
    cache.flush().await?;
    Ok(())
}
