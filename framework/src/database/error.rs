use std::{sync::Arc, time::Duration};

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::CursorError;
use crate::container::ContainerError;

/// The database could not do what was asked. A copy is the same error: whoever waited for one read together can each have it.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum DbError {
    /// The URL is for another backend than the application was built for.
    #[error(
        "DATABASE_URL is for `{found}`, but this application is built for {expected}: change the URL, or the feature in Cargo.toml"
    )]
    Scheme {
        /// The URL's scheme.
        found: String,
        /// The scheme of the backend built in.
        expected: &'static str,
    },
    /// The replica's URL is for another backend than the application was built for.
    #[error(
        "DB_READ_URL is for `{found}`, but this application is built for {expected}: name a replica of DATABASE_URL's server"
    )]
    ReplicaScheme {
        /// The URL's scheme.
        found: String,
        /// The scheme of the backend built in.
        expected: &'static str,
    },
    /// There is a replica's address for a backend that has none.
    #[error("DB_READ_URL is set, but {backend} has no replicas: leave it out")]
    NoReplicas {
        /// The backend.
        backend: &'static str,
    },
    /// There is no TLS with the server, though its address asks for it.
    #[cfg(any(feature = "postgres", feature = "mysql"))]
    #[error("cannot open the database {name}: {fault}")]
    Tls {
        /// The address, without a password.
        name: String,
        /// Why not.
        fault: super::TlsFault,
    },
    /// The server does not answer: it is down, starting or stopping, or has no connection left.
    #[error("cannot reach the database {name}: {reason}")]
    Unreachable {
        /// The address, without a password.
        name: String,
        /// What the network or the server said.
        reason: String,
    },
    /// The connection was lost while the server committed. What was written may have been kept: see before doing it again.
    #[error("the connection was lost during the commit, and whether this was kept is not known: {cause}")]
    Uncertain {
        /// What ended the connection.
        cause: String,
    },
    /// The database could not be opened.
    #[error("cannot open the database {name}: {reason}")]
    Open {
        /// The file or the address, without a password.
        name: String,
        /// What the backend said.
        reason: String,
    },
    /// The backend's library is one known to lose data.
    #[error("{library} {found} is too old: {needed} or newer is needed, because {reason}")]
    TooOld {
        /// The library.
        library: &'static str,
        /// Its version.
        found: String,
        /// The oldest version accepted.
        needed: &'static str,
        /// What the older ones do wrong.
        reason: &'static str,
    },
    /// There is no application whose database it could be.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// A statement failed.
    #[error(transparent)]
    Query(Arc<DieselError>),
    /// A page was asked for that is none of this list's.
    #[error("`{field}` {0}", field = .0.field())]
    Cursor(#[from] CursorError),
    /// A cached read was answered with a value of another type.
    #[error("what is kept of the read `{key}` is no {expected}: give each type of result a key of its own")]
    CachedType {
        /// The read's key.
        key: String,
        /// The type that the read has.
        expected: &'static str,
    },
    /// A call on the database inside a closure that has a connection already; it could wait for itself.
    #[error("a database call inside a database closure: use the closure's connection, and `c.transaction` to nest")]
    NestedTransaction,
    /// Another write that was committed together with this one ended the transaction of both. Nothing of this one was
    /// kept, and it may be run again.
    #[error("another write in the same transaction ended it, and nothing of this one was kept: {cause}")]
    GroupAborted {
        /// What ended it.
        cause: String,
    },
    /// Too many writes are waiting.
    #[error("the database is overloaded: {waiting} writes are waiting")]
    Overloaded {
        /// How many wait.
        waiting: usize,
    },
    /// No connection became free in time.
    #[error("no database connection became free within {waited:?}")]
    AcquireTimeout {
        /// How long was waited.
        waited: Duration,
    },
    /// The database has been closed, or its writer is gone.
    #[error("the database is closed")]
    Closed,
    /// A transaction nested by `c.transaction` was not brought to its end, so nothing was kept.
    #[error("a nested transaction was left half-way (its future was dropped), so the whole was rolled back")]
    Unfinished,
    /// The closure panicked; its transaction was rolled back.
    #[error("a database closure panicked, and its transaction was rolled back: {message}")]
    Panicked {
        /// The panic's message.
        message: String,
    },
}

impl DbError {
    /// What diesel says of a statement that failed.
    pub fn query(&self) -> Option<&DieselError> {
        match self {
            Self::Query(error) => Some(error),
            _ => None,
        }
    }

    /// Whether a row with the same unique value is there already.
    pub fn is_unique_violation(&self) -> bool {
        matches!(self.query(), Some(DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, _)))
    }

    /// Whether a row points, or is pointed at, where there is none.
    pub fn is_foreign_key_violation(&self) -> bool {
        matches!(self.query(), Some(DieselError::DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _)))
    }

    /// Whether somebody else's transaction was in the way, so that this one can be run again as it stands.
    pub fn is_conflict(&self) -> bool {
        match self.query() {
            Some(DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _)) => true,
            // SQLite's SQLITE_BUSY, after its busy_timeout.
            Some(DieselError::DatabaseError(_, info)) => info.message().contains("database is locked"),
            _ => matches!(self, Self::GroupAborted { .. }),
        }
    }

    /// Whether there is no room left for what was to be written. Reading goes on, and so does writing once there is room.
    pub fn is_full(&self) -> bool {
        // The words of SQLite, of PostgreSQL (SQLSTATE 53100) and of MySQL (1021 and 1114), which diesel does not tell
        // apart.
        let words = ["database or disk is full", "No space left on device", "Disk full", "is full"];
        let text = match (self, self.query()) {
            (_, Some(DieselError::DatabaseError(_, info))) => info.message(),
            (Self::GroupAborted { cause }, _) => cause,
            _ => return false,
        };
        words.iter().any(|word| text.contains(word))
    }

    /// Whether nothing is written there for the time being: a replica, or a server, a disk or a file that is set to be read alone.
    pub fn is_read_only(&self) -> bool {
        use DatabaseErrorKind::ReadOnlyTransaction;
        // The words of SQLite, and of MySQL and MariaDB (1290, by whichever option, and 1836), which diesel does not tell apart.
        let words =
            ["attempt to write a readonly database", "read-only option", "read-only=", "unning in read-only mode"];
        let text = match (self, self.query()) {
            (_, Some(DieselError::DatabaseError(ReadOnlyTransaction, _))) => return true,
            (_, Some(DieselError::DatabaseError(_, info))) => info.message(),
            (Self::GroupAborted { cause }, _) => cause,
            _ => return false,
        };
        words.iter().any(|word| text.contains(word))
    }

    /// Whether the connection was lost before the commit, so that nothing was kept.
    pub fn is_lost(&self) -> bool {
        use DatabaseErrorKind::{ClosedConnection, UnableToSendCommand};
        // The words of PostgreSQL (SQLSTATE 57P01 to 57P03), of MySQL's driver, and of MySQL and MariaDB (1053 and 1927).
        // diesel does not tell them apart.
        let words = [
            "terminating connection ",
            "the database system is",
            "Input/output error: ",
            "Connection to the server is closed",
            "Server shutdown in progress",
            "Connection was killed",
        ];
        match self.query() {
            Some(DieselError::DatabaseError(ClosedConnection | UnableToSendCommand, _)) => true,
            Some(DieselError::DatabaseError(_, info)) => words.iter().any(|text| info.message().contains(text)),
            _ => false,
        }
    }

    /// Whether the same call may work a moment later: nothing was done, and nothing is wrong with it.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Overloaded { .. }
            | Self::AcquireTimeout { .. }
            | Self::GroupAborted { .. }
            | Self::Unreachable { .. } => true,
            other => other.is_lost(),
        }
    }
}

impl From<DieselError> for DbError {
    fn from(error: DieselError) -> Self {
        match error {
            // One of ours that went through a closure with diesel's error type.
            DieselError::QueryBuilderError(inner) => match inner.downcast::<Self>() {
                Ok(own) => *own,
                Err(inner) => Self::Query(Arc::new(DieselError::QueryBuilderError(inner))),
            },
            other => Self::Query(Arc::new(other)),
        }
    }
}

/// So that a closure may fail with diesel's own error; [`DbError`] comes out of it again unchanged.
impl From<DbError> for DieselError {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Query(error) => match Arc::try_unwrap(error) {
                Ok(error) => error,
                // Somebody else has it, too: it goes through as ours.
                Err(shared) => Self::QueryBuilderError(Box::new(DbError::Query(shared))),
            },
            other => Self::QueryBuilderError(Box::new(other)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_read_alone_is_known_by_its_words() {
        let says = [
            "The MySQL server is running with the --read-only option so it cannot execute this statement",
            "The MySQL server is running with the --super-read-only option so it cannot execute this statement",
            "The MariaDB server is running with the --read-only=ON option so it cannot execute this statement",
            "Running in read-only mode",
            "attempt to write a readonly database",
        ];
        let error = |text: &str| {
            DbError::from(DieselError::DatabaseError(DatabaseErrorKind::Unknown, Box::new(text.to_owned())))
        };
        assert!(says.iter().all(|text| error(text).is_read_only() && !error(text).is_full()));
        assert!(!error("the table `ships` is full").is_read_only());
    }
}
