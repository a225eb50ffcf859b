use std::sync::OnceLock;

use ::redis::{FromRedisValue, ToRedisArgs, cmd};

use super::{Redis, RedisError};

/// A Lua script, which the server runs as one: no other command comes in between. Keep it in a `static`.
///
/// ```no_run
/// use paravel::redis::{Redis, RedisError, Script};
///
/// static TAKE: Script = Script::new(
///     "take",
///     "local left = redis.call('DECRBY', KEYS[1], ARGV[1])
///      if left < 0 then redis.call('INCRBY', KEYS[1], ARGV[1]) end
///      return left >= 0",
/// );
///
/// async fn take(redis: &Redis, barrels: u32) -> Result<bool, RedisError> {
///     redis.script(&TAKE).key("stock:barrels").arg(barrels).query().await
/// }
/// ```
#[derive(Debug)]
pub struct Script {
    name: &'static str,
    source: &'static str,
    hash: OnceLock<String>,
}

impl Script {
    /// A script of this name, which its errors tell, and this source, as by `include_str!`.
    pub const fn new(name: &'static str, source: &'static str) -> Self {
        Self { name, source, hash: OnceLock::new() }
    }

    /// What errors call it.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What the server calls it: the SHA-1 of its source.
    fn hash(&self) -> &str {
        self.hash.get_or_init(|| ::redis::Script::new(self.source).get_hash().to_owned())
    }
}

/// A call of a [`Script`]; made by [`Redis::script`].
#[must_use = "a script runs when it is queried"]
pub struct Invocation<'a> {
    redis: &'a Redis,
    script: &'a Script,
    keys: Vec<String>,
    args: Vec<Vec<u8>>,
}

impl<'a> Invocation<'a> {
    pub(super) fn new(redis: &'a Redis, script: &'a Script) -> Self {
        Self { redis, script, keys: Vec::new(), args: Vec::new() }
    }

    /// Adds one of `KEYS`, which gets `REDIS_PREFIX` before it.
    pub fn key(mut self, key: &str) -> Self {
        self.keys.push(self.redis.key(key));
        self
    }

    /// Adds one of `ARGV`, or several.
    pub fn arg(mut self, arg: impl ToRedisArgs) -> Self {
        arg.write_redis_args(&mut self.args);
        self
    }

    /// Runs it, and gives its answer.
    ///
    /// # Errors
    /// [`RedisError`]; what the script itself failed by is [`RedisError::Script`].
    pub async fn query<T: FromRedisValue>(self) -> Result<T, RedisError> {
        match self.send("EVALSHA", self.script.hash()).await {
            // It was started anew, or has forgotten the script. It remembers what it is sent whole.
            Err(RedisError::Command { source, .. }) if source.code() == Some("NOSCRIPT") => {
                self.named(self.send("EVAL", self.script.source).await)
            }
            answer => self.named(answer),
        }
    }

    /// Runs it for what it does.
    ///
    /// # Errors
    /// As [`query`](Self::query).
    pub async fn run(self) -> Result<(), RedisError> {
        self.query().await
    }

    async fn send<T: FromRedisValue>(&self, verb: &str, script: &str) -> Result<T, RedisError> {
        let mut command = cmd(verb);
        command.arg(script).arg(self.keys.len()).arg(&self.keys).arg(&self.args);
        self.redis.query(&command).await
    }

    fn named<T>(&self, answer: Result<T, RedisError>) -> Result<T, RedisError> {
        answer.map_err(|error| match error {
            RedisError::Command { source, .. } => RedisError::Script { name: self.script.name, source },
            other => other,
        })
    }
}
