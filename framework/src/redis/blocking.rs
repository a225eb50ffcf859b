use std::{fmt, sync::Arc};

use ::redis::FromRedisValue;

use super::{
    RedisError, Request,
    connect::{Server, Session},
};

/// A connection of its own, on which a command may wait as long as it says; made by [`Redis::blocking`](super::Redis::blocking).
///
/// One that was lost stays so: the next call fails, and another is to be made. A call that is dropped before its answer may
/// have taken something from the server that nobody gets: drop the connection with it.
///
/// ```no_run
/// use paravel::redis::{BlockingConnection, Redis, RedisError, cmd};
///
/// async fn next(redis: &Redis, waiting: &mut BlockingConnection) -> Result<Option<(String, String)>, RedisError> {
///     // Five seconds at most, then nothing.
///     waiting.query(cmd("BLPOP").arg(redis.key("arrivals")).arg(5)).await
/// }
/// ```
pub struct BlockingConnection {
    server: Arc<Server>,
    session: Session,
}

impl BlockingConnection {
    pub(super) async fn open(server: Arc<Server>) -> Result<Self, RedisError> {
        let session = server.open(None).await?;
        Ok(Self { server, session })
    }

    /// Sends a command or a pipeline, and gives its answer, whenever it comes.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn query<T: FromRedisValue>(&mut self, request: &impl Request) -> Result<T, RedisError> {
        request.check(false)?;
        let answer = request.send(&mut self.session.connection).await;
        answer.map_err(|error| self.server.failed(error, request.name(), None))
    }

    /// Sends a command or a pipeline whose answer does not matter, errors apart.
    ///
    /// # Errors
    /// [`RedisError`].
    pub async fn run(&mut self, request: &impl Request) -> Result<(), RedisError> {
        self.query(request).await
    }
}

impl fmt::Debug for BlockingConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlockingConnection").field("address", &self.server.address.shown).finish()
    }
}
