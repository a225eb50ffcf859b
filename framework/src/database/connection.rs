use std::{future::Future, ops::DerefMut};

use diesel::QueryResult;
use diesel_async::AsyncConnection;
use futures_util::future::BoxFuture;

use super::{DbError, Row, Statement};
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

/// Work for the primary, without its types.
pub struct Work<C> {
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

    /// Runs a statement and says how many rows it changed.
    fn run<'c>(&'c mut self, statement: &'c Statement) -> BoxFuture<'c, QueryResult<usize>>;

    /// Runs a query and gives its rows.
    fn fetch<'c>(&'c mut self, statement: &'c Statement) -> BoxFuture<'c, QueryResult<Vec<Row>>>;

    /// A query for the names of all tables, in a column `name`.
    const TABLES: &'static str;

    /// Drops every table and view.
    fn drop_everything(&mut self) -> BoxFuture<'_, QueryResult<()>>;
}

/// How the connections of one backend are kept and used.
pub trait Driver<C>: Send + Sync + Sized + 'static {
    /// A connection on loan, which cannot write and goes back when dropped.
    type Reader: DerefMut<Target = C> + Send;

    /// Opens the database.
    fn open(config: &DatabaseConfig) -> impl Future<Output = Result<Self, DbError>> + Send;

    /// Lends a connection that cannot write.
    fn reader(&self) -> impl Future<Output = Result<Self::Reader, DbError>> + Send;

    /// Takes work, to be run in a transaction on the primary. It goes on to its end although the caller goes away.
    ///
    /// # Errors
    /// [`DbError::Overloaded`] or [`DbError::Closed`]: the work was not taken and will not run.
    fn submit(&self, work: Work<C>) -> Result<(), DbError>;

    /// Does what waits and closes, so that the database is whole without this process.
    fn close(&self) -> impl Future<Output = ()> + Send;

    /// What `db:show` says of the database: names and values.
    fn describe(&self) -> impl Future<Output = Result<Vec<(String, String)>, DbError>> + Send;
}
