//! Redis: one connection that all share and that comes back by itself, commands and pipelines with typed answers, scripts,
//! blocking reads and channels.
//!
//! ```no_run
//! use paravel::{
//!     config::RedisConfig,
//!     redis::{Redis, cmd, pipe},
//!     support::Env,
//! };
//!
//! # async fn ships() -> Result<(), paravel::redis::RedisError> {
//! let redis = Redis::new(&RedisConfig::from_env(&Env::from_pairs([("REDIS_URL", "redis://127.0.0.1:6379")])))?;
//! let key = redis.key("ships:7");
//! redis.run(cmd("SET").arg(&key).arg("Dawn Treader").arg("EX").arg(60)).await?;
//! let (name, length): (String, usize) = redis.query(pipe().get(&key).strlen(&key)).await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What holds
//!
//! - **Nothing connects before the first command.** A server that is down at first is found when it comes up.
//! - **A command waits no longer than its time**: `REDIS_CONNECT_TIMEOUT` where the connection is only being made, and
//!   `REDIS_TIMEOUT` for its answer. While the server is known to be down, commands fail at once; it is tried again in the
//!   background, after 50 ms at first and 2 s at last.
//! - **No command is sent twice.** One whose answer did not come is an error that says so
//!   ([`RedisError::is_uncertain`]), and the caller knows whether it can be repeated.
//! - **What would hold up or change the connection for all is refused on it** ([`RedisError::NotShared`]): what waits has a
//!   connection of its own by [`Redis::blocking`], what listens by [`Redis::subscribe`].

mod address;
mod blocking;
mod client;
mod connect;
mod error;
mod keeper;
mod request;
mod script;
mod subscription;

pub use ::redis::{Cmd, FromRedisValue, Pipeline, ToRedisArgs, Value, cmd, pipe};
pub use blocking::BlockingConnection;
pub use client::Redis;
pub use error::RedisError;
pub use request::Request;
pub use script::{Invocation, Script};
pub use subscription::{Message, Subscription};
