//! The configuration: one file a concern. `artisan config:show` prints what is in force, and `artisan env` every
//! variable.

mod seed;

use paravel::{
    config::{
        AlertConfig, AppConfig, AuthConfig, CacheConfig, ConfigSet, DatabaseConfig, HttpConfig, LogConfig, RedisConfig,
    },
    support::Env,
};

pub use seed::SeedConfig;

/// Fills every config struct from the environment.
pub fn load(env: &Env, configs: &mut ConfigSet) {
    configs.insert("alerts", AlertConfig::from_env(env));
    configs.insert("app", AppConfig::from_env(env));
    configs.insert("auth", AuthConfig::from_env(env));
    configs.insert("cache", CacheConfig::from_env(env));
    configs.insert("database", DatabaseConfig::from_env(env));
    configs.insert("http", HttpConfig::from_env(env));
    configs.insert("log", LogConfig::from_env(env));
    configs.insert("redis", RedisConfig::from_env(env));
    configs.insert("seed", SeedConfig::from_env(env));
}
