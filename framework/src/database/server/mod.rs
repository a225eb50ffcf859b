//! What the backends that are servers have in common: pools of connections, and transactions in tasks of their own.

mod driver;
mod health;
mod insert;
mod pool;
pub(in crate::database) mod tls;
mod transaction;

use std::future::Future;

use diesel::result::Error as DieselError;
use diesel_async::{AnsiTransactionManager, pooled_connection::PoolableConnection};

pub use driver::ServerDriver;

use super::{Connection, DbError, Heard, Isolation};
use crate::config::DatabaseUrl;
pub(super) use crate::support::is_here;

/// What a connection is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// It cannot write.
    Reader,
    /// It runs transactions.
    Writer,
}

/// A connection to a server, as the pools need it.
pub trait Server: Connection<TransactionManager = AnsiTransactionManager> + PoolableConnection {
    /// Commits, and fails where the server would roll back instead and call that a success.
    const COMMIT: &'static str;

    /// Whether the answer to a query that was dropped is taken for that to the next one.
    const LOSES_STEP: bool;

    /// What `db:show` tells: names, and queries that give each a column `value`.
    const FACTS: &'static [(&'static str, &'static str)];

    /// Whether a conflict ends the whole transaction, and what comes after it is another one. A closure may have
    /// passed over it.
    const CONFLICT_ENDS_ALL: bool;

    /// Whether the error says that somebody else's transaction was in the way.
    fn is_conflict(error: &DieselError) -> bool;

    /// Whether the error says that the server is not to be reached by this connection any more.
    fn is_gone(error: &DieselError) -> bool;

    /// What an address says, and what is needed to connect there.
    type Target: Send + Sync + 'static;

    /// Reads an address, and what its TLS needs.
    ///
    /// # Errors
    /// [`DbError::Open`] and [`DbError::Tls`], naming the address.
    fn target(url: &DatabaseUrl) -> Result<Self::Target, DbError>;

    /// The host that is not on this machine and would be reached without TLS, where there is one.
    fn unencrypted(target: &Self::Target) -> Option<String>;

    /// Begins a transaction.
    fn begin(isolation: Option<Isolation>) -> String;

    /// Hears what is said on a channel, by a session of its own; `None` where there are no channels.
    fn listen(_target: &Self::Target, _channel: &str) -> impl Future<Output = Result<Option<Heard>, DbError>> + Send {
        std::future::ready(Ok(None))
    }

    /// Connects and sets the session up for its role.
    fn connect(target: &Self::Target, role: Role) -> impl Future<Output = Result<Self, DbError>> + Send;
}
