use std::{future::Future, ops::DerefMut};

use diesel::QueryResult;
use diesel_async::AsyncConnection;
use futures_util::{future::BoxFuture, stream::BoxStream};

use super::{DatabaseLoad, DbError, Isolation, Row, Statement};
use crate::config::DatabaseConfig;

/// What became of a piece of work, which decides what becomes of its transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Keep what it wrote.
    Commit,
    /// Undo what it wrote.
    Rollback,
}

/// The part of [`Work`] that has a connection.
pub type Run<C> = Box<dyn for<'c> FnOnce(&'c mut C) -> BoxFuture<'c, Verdict> + Send>;

/// What is heard on a channel: something for each word that was said, until the connection is lost.
pub type Heard = BoxStream<'static, ()>;

/// Where a read may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFrom {
    /// The replica, where there is one. It may not have yet what has just been written.
    Replica,
    /// The primary, which has everything.
    Primary,
}

/// Work for the primary, without its types.
pub struct Work<C> {
    /// What its transaction may see of others; `None` for what the server does by itself.
    pub isolation: Option<Isolation>,
    /// Whether it is the toolkit's own, and must not wait for the application's transactions.
    pub is_own: bool,
    /// Does it, inside a transaction that the driver has begun. It does not panic.
    pub run: Run<C>,
    /// Is told once the verdict has been carried out, or why it could not be. Where the driver drops it instead, the
    /// work is taken not to have been done.
    pub done: Box<dyn FnOnce(Result<(), DbError>) + Send>,
}

/// A connection type of one backend: diesel-async's connection, and raw SQL with bound values, which the toolkit's
/// own tables use so that they can join the application's transactions.
pub trait Connection: AsyncConnection + Send + 'static {
    /// How connections of this type are kept and used.
    type Driver: Driver<Self>;

    /// The name of the backend: `sqlite`, `postgres` or `mysql`. Also the URL's scheme, and the infix of a
    /// migration's dialect files.
    const BACKEND: &'static str;

    /// How many values a statement binds at most.
    const MAX_BINDS: usize;

    /// Runs a statement and says how many rows it changed.
    fn run<'c>(&'c mut self, statement: &'c Statement) -> BoxFuture<'c, QueryResult<usize>>;

    /// Runs a query and gives its rows.
    fn fetch<'c>(&'c mut self, statement: &'c Statement) -> BoxFuture<'c, QueryResult<Vec<Row>>>;

    /// What a name is quoted with in raw SQL.
    const QUOTE: char = '"';

    /// A name, quoted for raw SQL.
    fn quoted(name: &str) -> String {
        let quote = Self::QUOTE;
        format!("{quote}{}{quote}", name.replace(quote, &format!("{quote}{quote}")))
    }

    /// A query for the names of all tables, in a column `name`.
    const TABLES: &'static str;

    /// A query for the columns of the table bound to it, in their order: `name`, `type`, `default_value`, and as 0 or 1
    /// `is_nullable` and `is_primary`.
    const COLUMNS: &'static str;

    /// A query for the indexes of the table bound to it, a row for each column, in the order of the names and the
    /// columns: `name`, `column_name`, and as 0 or 1 `is_unique`.
    const INDEXES: &'static str;

    /// A query for the foreign keys of the table bound to it, a row for each column, a key's together and in their
    /// order: `name`, `column_name`, `target_table`, `target_column`, `on_delete`.
    const FOREIGN_KEYS: &'static str;

    /// Drops every table and view.
    fn drop_everything(&mut self) -> BoxFuture<'_, QueryResult<()>>;

    /// Waits until no other migrator takes a step. Called first in the transaction of each step; a lock that ends with
    /// the transaction is as good as one that [`unlock_migrations`](Self::unlock_migrations) gives back. Nothing is to
    /// be done where no two transactions write at once.
    fn lock_migrations(&mut self) -> BoxFuture<'_, QueryResult<()>> {
        Box::pin(std::future::ready(Ok(())))
    }

    /// Lets the next migrator go on. Called last in the transaction of a step, also where the step failed; what is not
    /// to be kept will be rolled back. A lock that does not end with the transaction must not end before it.
    fn unlock_migrations(&mut self, _keep: bool) -> BoxFuture<'_, QueryResult<()>> {
        Box::pin(std::future::ready(Ok(())))
    }
}

/// How the connections of one backend are kept and used.
pub trait Driver<C>: Send + Sync + Sized + 'static {
    /// A connection on loan, which cannot write and goes back when dropped.
    type Reader: DerefMut<Target = C> + Send;

    /// Whether there is no database yet, where opening it would make one.
    fn is_missing(_config: &DatabaseConfig) -> bool {
        false
    }

    /// Opens the database.
    fn open(config: &DatabaseConfig) -> impl Future<Output = Result<Self, DbError>> + Send;

    /// Lends a connection that cannot write.
    fn reader(&self, from: ReadFrom) -> impl Future<Output = Result<Self::Reader, DbError>> + Send;

    /// Is told that whoever had the reader came to an end. One that is dropped without this may be in the middle of a
    /// query.
    fn finished(_reader: &mut Self::Reader) {}

    /// Takes work, to be run in a transaction on the primary. It goes on to its end although the caller goes away.
    ///
    /// # Errors
    /// [`DbError::Overloaded`] or [`DbError::Closed`]: the work was not taken and will not run.
    fn submit(&self, work: Work<C>) -> Result<(), DbError>;

    /// Hears what is said on a channel, by a connection of its own; `None` where the backend has none.
    fn listen(&self, _channel: &str) -> impl Future<Output = Result<Option<Heard>, DbError>> + Send {
        std::future::ready(Ok(None))
    }

    /// Does what waits and closes, so that the database is whole without this process.
    fn close(&self) -> impl Future<Output = ()> + Send;

    /// What `db:show` says of the database: names and values.
    fn describe(&self) -> impl Future<Output = Result<Vec<(String, String)>, DbError>> + Send;

    /// How many connections there are, how many are in use, and what waits. The backend and the address are left out.
    fn load(&self) -> DatabaseLoad {
        DatabaseLoad::default()
    }
}
