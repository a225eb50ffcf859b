//! Typed configuration: documented structs, filled from [`Env`](crate::support::Env) at start, and a set that
//! holds them by type.

mod alerts;
mod app;
mod auth;
mod cache;
mod database;
mod http;
mod log;
mod mail;
mod queue;
mod redis;
mod schedule;
mod set;
mod shown;

pub use alerts::AlertConfig;
pub use app::{AppConfig, Environment};
pub use auth::AuthConfig;
pub use cache::{CacheConfig, CacheStore, CacheStores, CacheVersion};
pub use database::{DatabaseConfig, DatabaseUrl};
pub use http::HttpConfig;
pub use log::{LogConfig, LogFormat};
pub use mail::{MailConfig, MailEncryption, MailTransport};
pub use queue::{QueueConfig, QueueConnection, QueueNames};
pub use redis::{RedisConfig, RedisUrl};
pub use schedule::{ScheduleConfig, ScheduleStoreName};
pub use set::{ConfigError, ConfigSet};
pub(crate) use set::{ErasedArc, ErasedConfig};
