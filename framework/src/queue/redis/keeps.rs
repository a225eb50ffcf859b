//! What the server keeps.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
};

use super::super::Durability;
use crate::redis::{Redis, RedisError, cmd};

/// Says once what may be lost.
#[derive(Default)]
pub(super) struct Keeps {
    said: AtomicBool,
}

/// The settings that decide it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Settings {
    durability: Option<Durability>,
    evicts: Option<String>,
}

impl Settings {
    async fn read(redis: &Redis) -> Result<Self, RedisError> {
        let mut all: HashMap<String, String> = HashMap::new();
        for name in ["append*", "save", "maxmemory*"] {
            match redis.query::<HashMap<String, String>>(cmd("CONFIG").arg("GET").arg(name)).await {
                Ok(some) => all.extend(some),
                // Whoever only rents a server is not told.
                Err(RedisError::Command { .. }) => return Ok(Self::default()),
                Err(error) => return Err(error),
            }
        }
        Ok(Self::of(|name| all.get(name).map_or("", String::as_str)))
    }

    fn of<'a>(setting: impl Fn(&'static str) -> &'a str) -> Self {
        let durability = match (setting("appendonly"), setting("appendfsync"), setting("save")) {
            ("yes", "always", _) => Durability::Disk,
            ("yes", _, _) => Durability::Host,
            (_, _, "") => Durability::Process,
            _ => Durability::Host,
        };
        let policy = setting("maxmemory-policy");
        let evicts = policy != "noeviction" && !setting("maxmemory").trim_matches('0').is_empty();
        Self { durability: Some(durability), evicts: evicts.then(|| policy.to_owned()) }
    }
}

impl Keeps {
    /// What a stored message outlives; nothing is promised where the server does not tell.
    pub(super) async fn durability(&self, redis: &Redis) -> Result<Durability, RedisError> {
        let settings = Settings::read(redis).await?;
        self.warn(&settings);
        Ok(match settings {
            // It throws away what it has no room for.
            Settings { evicts: Some(_), .. } => Durability::Process,
            Settings { durability, .. } => durability.unwrap_or(Durability::Process),
        })
    }

    pub(super) async fn warn_once(&self, redis: &Redis) {
        if !self.said.load(Relaxed)
            && let Ok(settings) = Settings::read(redis).await
        {
            self.warn(&settings);
        }
    }

    fn warn(&self, settings: &Settings) {
        if self.said.swap(true, Relaxed) {
            return;
        }
        if let Some(policy) = &settings.evicts {
            tracing::warn!(
                policy,
                "Redis throws jobs away when its memory is full: set its maxmemory-policy to noeviction"
            );
        }
        if settings.durability == Some(Durability::Process) {
            tracing::warn!(
                "Redis keeps no jobs when it is restarted: set its appendonly to yes, and appendfsync to always where none may be lost"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_keeps_is_told_by_its_settings() {
        for (appendonly, appendfsync, save, expected) in [
            ("yes", "always", "", Durability::Disk),
            ("yes", "everysec", "", Durability::Host),
            ("no", "always", "3600 1", Durability::Host),
            ("no", "always", "", Durability::Process),
        ] {
            for (memory, policy, evicts) in
                [("0", "allkeys-lru", false), ("1000", "noeviction", false), ("1000", "volatile-ttl", true)]
            {
                let settings = Settings::of(|name| match name {
                    "appendonly" => appendonly,
                    "appendfsync" => appendfsync,
                    "save" => save,
                    "maxmemory" => memory,
                    _ => policy,
                });
                assert_eq!((settings.durability, settings.evicts.is_some()), (Some(expected), evicts));
            }
        }
    }
}
