//! Queues under a prefix of their own, on the server of `TEST_REDIS_URL`.

use std::sync::Arc;

use futures_util::future::FutureExt;
use paravel::{
    config::RedisConfig,
    queue::{Driver, RedisDriver},
    redis::{Redis, cmd, pipe},
    support::{Env, Id, SystemClock},
};

use super::{ANY, BULK, Bare, JOBS, Result, Stored, Subject};

/// Queues of their own on the server of `TEST_REDIS_URL`.
pub fn subject() -> Result<Option<Subject>> {
    if std::env::var_os("TEST_REDIS_URL").is_none() {
        return Ok(None);
    }
    let prefix = format!("bench-{}:", Id::<()>::new());
    let (redis, driver) = driver(&prefix)?;
    let (bare_redis, key) = (Arc::clone(&redis), format!("{prefix}bare"));
    let bare: Bare = (
        "entries put into a stream by 1,000",
        Box::new(move || {
            let (redis, key) = (Arc::clone(&bare_redis), key.clone());
            async move {
                for _ in 0..JOBS as usize / BULK {
                    let mut entries = pipe();
                    for _ in 0..BULK {
                        let entry = cmd("XADD").arg(&key).arg("*").arg("b").arg(&[b'x'; 100][..]).take();
                        entries.add_command(entry).ignore();
                    }
                    redis.run(&entries).await?;
                }
                Ok(redis.run(cmd("DEL").arg(&key)).await?)
            }
            .boxed()
        }),
    );
    let stored: Stored = Box::new(move || {
        let redis = Arc::clone(&redis);
        async move {
            let info: String = redis.query(cmd("INFO").arg("memory")).await.ok()?;
            info.lines().find_map(|line| line.strip_prefix("used_memory:"))?.trim().parse().ok()
        }
        .boxed()
    });
    let subject = Subject::new("redis", driver, [Some(300_000.0), ANY, Some(150_000.0)]);
    Ok(Some(Subject { stored, bare, place: Some(prefix), ..subject }))
}

/// Those under a prefix.
pub fn driver(prefix: &str) -> Result<(Arc<Redis>, Arc<dyn Driver>)> {
    let url = std::env::var("TEST_REDIS_URL")?;
    let env = Env::from_pairs([("REDIS_URL", &*url), ("REDIS_PREFIX", prefix), ("REDIS_TIMEOUT", "10s")]);
    let redis = Arc::new(Redis::new(&RedisConfig::from_env(&env))?);
    let driver = RedisDriver::new(Arc::clone(&redis), Arc::new(SystemClock));
    Ok((redis, Arc::new(driver)))
}
