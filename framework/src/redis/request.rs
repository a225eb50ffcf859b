use std::future::Future;

use ::redis::{Arg, Cmd, FromRedisValue, Pipeline, RedisResult, aio::MultiplexedConnection};

use super::RedisError;

const BLOCKING: &str = "it waits, and all others with it: use `Redis::blocking`";
const CHANGING: &str = "it changes the connection for all others: use `Redis::blocking`";
const LISTENING: &str = "use `Redis::subscribe`";
const TRANSACTION: &str = "others' commands would come in between: use `pipe().atomic()`";

/// What can be sent: a [`Cmd`], or a [`Pipeline`] of several, which costs one way to the server and back.
pub trait Request: sealed::Sealed + Sync {}

impl Request for Cmd {}
impl Request for Pipeline {}

pub(super) mod sealed {
    use super::*;

    pub trait Sealed {
        fn send<T: FromRedisValue>(
            &self,
            connection: &mut MultiplexedConnection,
        ) -> impl Future<Output = RedisResult<T>> + Send;

        /// What it is called in messages: never its arguments, which may be secret.
        fn name(&self) -> String;

        /// Refuses what is not for a connection of commands, or, where it is shared, not for one that others use, too.
        fn check(&self, shared: bool) -> Result<(), RedisError>;
    }
}

impl sealed::Sealed for Cmd {
    fn send<T: FromRedisValue>(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> impl Future<Output = RedisResult<T>> + Send {
        self.query_async(connection)
    }

    fn name(&self) -> String {
        words(self).next().map(|word| String::from_utf8_lossy(word).to_ascii_uppercase()).unwrap_or_default()
    }

    fn check(&self, shared: bool) -> Result<(), RedisError> {
        match instead(self) {
            Some(instead) if shared || instead == LISTENING => {
                Err(RedisError::NotShared { command: self.name(), instead })
            }
            _ => Ok(()),
        }
    }
}

impl sealed::Sealed for Pipeline {
    fn send<T: FromRedisValue>(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> impl Future<Output = RedisResult<T>> + Send {
        self.query_async(connection)
    }

    fn name(&self) -> String {
        let mut names: Vec<_> = self.cmd_iter().map(sealed::Sealed::name).collect();
        names.dedup();
        format!("a pipeline of {}", names.join(", "))
    }

    fn check(&self, shared: bool) -> Result<(), RedisError> {
        self.cmd_iter().try_for_each(|command| command.check(shared))
    }
}

/// The command's words, its name first.
fn words(command: &Cmd) -> impl Iterator<Item = &[u8]> {
    command.args_iter().filter_map(|arg| match arg {
        Arg::Simple(word) => Some(word),
        _ => None,
    })
}

/// What is to be used in place of a command that is not for a shared connection.
fn instead(command: &Cmd) -> Option<&'static str> {
    let mut words = words(command);
    let name = words.next()?;
    // The longest name below; all of them fit.
    let mut upper = [0; 12];
    let upper = upper.get_mut(..name.len())?;
    upper.copy_from_slice(name);
    upper.make_ascii_uppercase();
    match &*upper {
        b"BLPOP" | b"BRPOP" | b"BLMOVE" | b"BLMPOP" | b"BRPOPLPUSH" | b"BZPOPMIN" | b"BZPOPMAX" | b"BZMPOP"
        | b"WAIT" | b"WAITAOF" => Some(BLOCKING),
        b"XREAD" | b"XREADGROUP" => words
            .take_while(|word| !word.eq_ignore_ascii_case(b"STREAMS"))
            .any(|word| word.eq_ignore_ascii_case(b"BLOCK"))
            .then_some(BLOCKING),
        b"SELECT" | b"AUTH" | b"HELLO" | b"RESET" | b"QUIT" | b"MONITOR" | b"SYNC" | b"PSYNC" => Some(CHANGING),
        b"CLIENT" => words.next().filter(|word| word.eq_ignore_ascii_case(b"REPLY")).map(|_| CHANGING),
        b"SUBSCRIBE" | b"PSUBSCRIBE" | b"SSUBSCRIBE" | b"UNSUBSCRIBE" | b"PUNSUBSCRIBE" | b"SUNSUBSCRIBE" => {
            Some(LISTENING)
        }
        b"MULTI" | b"EXEC" | b"DISCARD" | b"WATCH" | b"UNWATCH" => Some(TRANSACTION),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{sealed::Sealed, *};

    fn command(text: &str) -> Cmd {
        let mut cmd = Cmd::new();
        for word in text.split(' ') {
            cmd.arg(word);
        }
        cmd
    }

    #[test]
    fn what_waits_or_changes_the_connection_is_told_apart() {
        for (text, expected) in [
            ("BLPOP a 0", Some(BLOCKING)),
            ("bzmpop 0 1 a MIN", Some(BLOCKING)),
            ("xreadgroup GROUP g c COUNT 1 block 0 STREAMS a >", Some(BLOCKING)),
            ("XREADGROUP GROUP g c STREAMS BLOCK >", None),
            ("XREAD STREAMS a 0", None),
            ("select 1", Some(CHANGING)),
            ("CLIENT REPLY OFF", Some(CHANGING)),
            ("CLIENT ID", None),
            ("PUNSUBSCRIBE", Some(LISTENING)),
            ("WATCH a", Some(TRANSACTION)),
            ("GET BLPOP", None),
            ("SUBSCRIBERS.LONG.NAME", None),
        ] {
            assert_eq!(instead(&command(text)), expected, "{text}");
        }
        assert_eq!(instead(&Cmd::new()), None);
    }

    #[test]
    fn a_pipeline_is_looked_at_command_by_command_and_is_named_without_arguments() {
        let mut pipeline = ::redis::pipe();
        pipeline.atomic().set("a", "hunter22").get("a").get("b");
        assert!(pipeline.check(true).is_ok());
        assert_eq!(pipeline.name(), "a pipeline of SET, GET");
        pipeline.add_command(command("brpop a 1"));
        let refused = pipeline.check(true).unwrap_err();
        assert!(refused.to_string().starts_with("BRPOP cannot be sent on the connection that all share"), "{refused}");
        assert!(pipeline.check(false).is_ok());
    }
}
