use std::sync::Arc;

use crate::{
    redis::{
        BlockingConnection, FromRedisValue, Redis as Server, RedisError, Request, Script, Subscription, ToRedisArgs,
    },
    service::facade,
};

/// The application's Redis (feature `redis`).
///
/// ```
/// use paravel::{
///     facades::Redis,
///     redis::{RedisError, cmd},
/// };
///
/// async fn visits() -> Result<i64, RedisError> {
///     Redis::query(cmd("INCR").arg(Redis::key("visits")?)).await
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Redis;

impl Redis {
    /// The server itself, whose [scripts](Server::script) it calls.
    ///
    /// # Errors
    /// [`RedisError::Container`]: there is no application here.
    pub fn server() -> Result<Arc<Server>, RedisError> {
        Ok(facade::<Server>()?)
    }

    /// [`Server::key`].
    ///
    /// # Errors
    /// As [`server`](Self::server).
    pub fn key(key: &str) -> Result<String, RedisError> {
        Ok(Self::server()?.key(key))
    }

    /// [`Server::query`].
    ///
    /// # Errors
    /// As [`Server::query`].
    pub async fn query<T: FromRedisValue>(request: &impl Request) -> Result<T, RedisError> {
        Self::server()?.query(request).await
    }

    /// [`Server::run`].
    ///
    /// # Errors
    /// As [`Server::run`].
    pub async fn run(request: &impl Request) -> Result<(), RedisError> {
        Self::server()?.run(request).await
    }

    /// [`Server::ping`].
    ///
    /// # Errors
    /// As [`Server::ping`].
    pub async fn ping() -> Result<(), RedisError> {
        Self::server()?.ping().await
    }

    /// [`Server::script`], with these keys and arguments.
    ///
    /// # Errors
    /// As [`Invocation::query`](crate::redis::Invocation::query).
    pub async fn script<T: FromRedisValue>(
        script: &Script,
        keys: &[&str],
        args: impl ToRedisArgs,
    ) -> Result<T, RedisError> {
        let server = Self::server()?;
        keys.iter().fold(server.script(script), |call, key| call.key(key)).arg(args).query().await
    }

    /// [`Server::publish`].
    ///
    /// # Errors
    /// As [`Server::publish`].
    pub async fn publish(channel: &str, message: impl ToRedisArgs) -> Result<usize, RedisError> {
        Self::server()?.publish(channel, message).await
    }

    /// [`Server::subscribe`].
    ///
    /// # Errors
    /// As [`Server::subscribe`].
    pub async fn subscribe(channel: &str) -> Result<Subscription, RedisError> {
        Self::server()?.subscribe(channel).await
    }

    /// [`Server::blocking`].
    ///
    /// # Errors
    /// As [`Server::blocking`].
    pub async fn blocking() -> Result<BlockingConnection, RedisError> {
        Self::server()?.blocking().await
    }
}
