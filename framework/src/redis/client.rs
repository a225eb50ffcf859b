use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use ::redis::{FromRedisValue, ToRedisArgs, cmd};

use super::{
    BlockingConnection, Invocation, RedisError, Request, Script, Subscription, connect::Server, keeper::Keeper,
};
use crate::config::RedisConfig;

/// A Redis server. A clone is the same one, with the same connection.
///
/// ```no_run
/// use paravel::redis::{Redis, RedisError, cmd};
///
/// async fn visits(redis: &Redis) -> Result<i64, RedisError> {
///     redis.query(cmd("INCR").arg(redis.key("visits"))).await
/// }
/// ```
#[derive(Clone)]
pub struct Redis {
    shared: Arc<Shared>,
}

struct Shared {
    keeper: Keeper,
    prefix: Box<str>,
    in_use: AtomicBool,
}

impl Redis {
    /// The server of this configuration. Nothing connects before the first command.
    ///
    /// # Errors
    /// [`RedisError::Address`].
    pub fn new(config: &RedisConfig) -> Result<Self, RedisError> {
        let keeper = Keeper::new(Arc::new(Server::new(config)?));
        let in_use = AtomicBool::new(false);
        Ok(Self { shared: Arc::new(Shared { keeper, prefix: config.prefix.as_str().into(), in_use }) })
    }

    /// A key, or a channel, as it is called on the server: with `REDIS_PREFIX` before it.
    pub fn key(&self, key: &str) -> String {
        format!("{}{key}", self.shared.prefix)
    }

    /// Sends a command or a pipeline, and gives its answer.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn query<T: FromRedisValue>(&self, request: &impl Request) -> Result<T, RedisError> {
        request.check(true)?;
        self.mark_in_use();
        let keeper = &self.shared.keeper;
        let mut connection = keeper.connection().await?;
        request.send(&mut connection).await.map_err(|error| {
            let failed = keeper.server.failed(error, request.name(), Some(keeper.server.timeout));
            if matches!(failed, RedisError::TimedOut { .. }) {
                keeper.doubt();
            }
            failed
        })
    }

    /// Sends a command or a pipeline whose answer does not matter, errors apart.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn run(&self, request: &impl Request) -> Result<(), RedisError> {
        self.query(request).await
    }

    /// Whether the server answers.
    ///
    /// # Errors
    /// [`RedisError`]: it does not.
    pub async fn ping(&self) -> Result<(), RedisError> {
        self.run(&cmd("PING")).await
    }

    /// Calls a script, which is sent where the server does not know it.
    pub fn script<'a>(&'a self, script: &'a Script) -> Invocation<'a> {
        Invocation::new(self, script)
    }

    /// Sends a message to all who listen to the channel at this moment, and says how many they are.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn publish(&self, channel: &str, message: impl ToRedisArgs) -> Result<usize, RedisError> {
        self.query(cmd("PUBLISH").arg(self.key(channel)).arg(message)).await
    }

    /// Listens to a channel, on a connection of its own.
    ///
    /// # Errors
    /// [`RedisError`]: it could not connect.
    pub async fn subscribe(&self, channel: &str) -> Result<Subscription, RedisError> {
        self.mark_in_use();
        let connection = self.shared.keeper.server.listen(&self.key(channel)).await?;
        Ok(Subscription::new(connection, &self.shared.prefix))
    }

    /// A connection of its own for commands that wait, such as `BLPOP` or `XREADGROUP .. BLOCK`. On the shared one all other
    /// commands would wait with them, and a wait would be taken for a server that does not answer: so this one has no
    /// time that an answer must come in.
    ///
    /// # Errors
    /// [`RedisError`]: it could not connect.
    pub async fn blocking(&self) -> Result<BlockingConnection, RedisError> {
        self.mark_in_use();
        BlockingConnection::open(Arc::clone(&self.shared.keeper.server)).await
    }

    /// Whether the application uses Redis: a command was sent, or something is set up to send some. `GET /up` asks it then.
    pub fn in_use(&self) -> bool {
        self.shared.in_use.load(Ordering::Relaxed)
    }

    /// Says that something is set up to use it.
    pub fn mark_in_use(&self) {
        self.shared.in_use.store(true, Ordering::Relaxed);
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = &self.shared.keeper.server.address.shown;
        f.debug_struct("Redis").field("address", address).field("prefix", &self.shared.prefix).finish()
    }
}
