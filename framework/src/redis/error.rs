use std::time::Duration;

use ::redis::RedisError as DriverError;

use crate::{container::ContainerError, support::TlsFault};

/// Redis could not do what was asked.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RedisError {
    /// There is no application whose Redis it could be.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// The address says something that there is not.
    #[error("REDIS_URL {address} {reason}")]
    Address {
        /// The address, without a password.
        address: String,
        /// What is wrong with it, and what to say instead.
        reason: String,
    },
    /// The server does not answer: it is down, or starting. The command was not sent.
    #[error("cannot reach Redis at {address}: {reason}: see that it runs there, or correct REDIS_URL")]
    Unavailable {
        /// The address, without a password.
        address: String,
        /// What the network or the server said.
        reason: String,
        /// Its error, where it was one.
        source: Option<DriverError>,
    },
    /// There is no TLS with the server, though its address asks for it.
    #[error("cannot reach Redis at {address} by TLS: {fault}")]
    Tls {
        /// The address, without a password.
        address: String,
        /// Why not.
        #[source]
        fault: TlsFault,
    },
    /// The server does not take the user and the password, or wants some.
    #[error("Redis at {address} refuses to log in: {reason}: correct the user and the password in REDIS_URL")]
    Authentication {
        /// The address, without a password.
        address: String,
        /// What the server said.
        reason: String,
    },
    /// No answer came in time. The command may have been run, or be run yet.
    #[error("Redis at {address} did not answer {command} within {waited:?}")]
    TimedOut {
        /// The address, without a password.
        address: String,
        /// The command.
        command: String,
        /// How long was waited.
        waited: Duration,
    },
    /// The connection was lost before the answer came. The command may have been run.
    #[error("the connection to Redis at {address} was lost before {command} was answered")]
    Lost {
        /// The address, without a password.
        address: String,
        /// The command.
        command: String,
        /// What ended it.
        source: DriverError,
    },
    /// The server refused the command, or answered with something of another type than was asked for.
    #[error("{command} failed on Redis: {source}")]
    Command {
        /// The command.
        command: String,
        /// What the server said.
        source: DriverError,
    },
    /// A script failed.
    #[error("the script `{name}` failed on Redis: {source}")]
    Script {
        /// Its name.
        name: &'static str,
        /// What the server said.
        source: DriverError,
    },
    /// A command that would hold up or change the connection which all share.
    #[error("{command} cannot be sent on the connection that all share: {instead}")]
    NotShared {
        /// The command.
        command: String,
        /// What to use.
        instead: &'static str,
    },
}

impl RedisError {
    /// Whether the same call may work a moment later: nothing was done, and nothing is wrong with it.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable { .. } => true,
            Self::Command { source, .. } | Self::Script { source, .. } => {
                matches!(source.code(), Some("LOADING" | "BUSY" | "TRYAGAIN" | "MASTERDOWN" | "CLUSTERDOWN"))
            }
            _ => false,
        }
    }

    /// Whether it is not known if the command was run.
    pub fn is_uncertain(&self) -> bool {
        matches!(self, Self::TimedOut { .. } | Self::Lost { .. })
    }
}
