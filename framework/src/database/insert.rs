use diesel::QueryResult;
use futures_util::future::BoxFuture;

use super::Connection;

/// A connection that inserts many rows `R` into the table `T`, with as few waits for the database as it can.
///
/// Every connection does, for whatever derives diesel's `Insertable` for that table. diesel's own way to insert a `Vec`
/// does not exist on SQLite, and has no limit elsewhere.
///
/// On a server a statement has up to 500 rows. On SQLite it has one, prepared once: there is no way to a server to be
/// saved, and a row of a long statement takes no less time.
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// use diesel::prelude::*;
/// use paravel::database::{Db, DbError, InsertRows, SqliteConn};
///
/// diesel::table! {
///     ships (id) { id -> Integer, name -> Text }
/// }
///
/// #[derive(Insertable)]
/// struct Ship {
///     id: i32,
///     name: String,
/// }
///
/// async fn launch(db: &Db<SqliteConn>, fleet: Vec<Ship>) -> Result<usize, DbError> {
///     db.write(async move |c| Ok(InsertRows::<ships::table, _>::insert_rows(c, fleet).await?)).await
/// }
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{R}` cannot be inserted into `{T}` on this connection",
    note = "derive diesel's `Insertable` for it, with `#[diesel(table_name = ..)]` naming that table"
)]
pub trait InsertRows<T, R>: Connection {
    /// Inserts the rows, in their order; how many there were. Inside a transaction: what came before a row that fails
    /// is rolled back with it.
    ///
    /// # Errors
    /// The database's, of the first statement that fails.
    fn insert_rows(&mut self, rows: Vec<R>) -> BoxFuture<'_, QueryResult<usize>>;
}
