use diesel::{
    Insertable, QueryResult, Table,
    query_builder::{InsertStatement, QueryFragment, QueryId},
};
use diesel_async::{AsyncConnectionCore, RunQueryDsl};
use futures_util::future::BoxFuture;

use crate::database::Connection;

/// A connection that adds many rows of this kind to a table: on servers in one statement for hundreds of rows, on SQLite
/// in one each.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot add many `{Row}` at once",
    note = "derive diesel's `Insertable` for the row, without references in it, and name the table"
)]
pub trait InsertMany<Tab, Row>: Connection {
    /// Adds the rows, in their order, and says how many.
    fn insert_many(&mut self, table: Tab, rows: Vec<Row>) -> BoxFuture<'_, QueryResult<usize>>;
}

/// The most columns that a table of diesel's has, each of which is bound for every row.
#[cfg(any(feature = "postgres", feature = "mysql"))]
const MAX_COLUMNS: usize = 128;

/// One statement for many rows would be another one for each number of rows, and SQLite has no way to leave a value to
/// its default in one. The statement for one is prepared once, and no network lies between.
#[cfg(feature = "sqlite")]
impl<Tab, Row> InsertMany<Tab, Row> for crate::database::SqliteConn
where
    Tab: Table + Copy + Send + 'static,
    Row: Insertable<Tab> + Send + 'static,
    InsertStatement<Tab, Row::Values>: QueryFragment<<Self as AsyncConnectionCore>::Backend> + QueryId + Send + 'static,
{
    fn insert_many(&mut self, table: Tab, rows: Vec<Row>) -> BoxFuture<'_, QueryResult<usize>> {
        Box::pin(async move {
            let mut count = 0;
            for row in rows {
                count += diesel::insert_into(table).values(row).execute(self).await?;
            }
            Ok(count)
        })
    }
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
macro_rules! in_batches {
    ($connection:ty) => {
        impl<Tab, Row> InsertMany<Tab, Row> for $connection
        where
            Tab: Table + Copy + Send + 'static,
            Row: Send + 'static,
            Vec<Row>: Insertable<Tab>,
            InsertStatement<Tab, <Vec<Row> as Insertable<Tab>>::Values>:
                QueryFragment<<Self as AsyncConnectionCore>::Backend> + QueryId + Send + 'static,
        {
            fn insert_many(&mut self, table: Tab, rows: Vec<Row>) -> BoxFuture<'_, QueryResult<usize>> {
                Box::pin(async move {
                    let mut rows = rows.into_iter();
                    let mut count = 0;
                    loop {
                        let batch: Vec<Row> = rows.by_ref().take(Self::MAX_BINDS / MAX_COLUMNS).collect();
                        if batch.is_empty() {
                            return Ok(count);
                        }
                        count += diesel::insert_into(table).values(batch).execute(self).await?;
                    }
                })
            }
        }
    };
}

#[cfg(feature = "postgres")]
in_batches!(crate::database::PgConn);
#[cfg(feature = "mysql")]
in_batches!(crate::database::MysqlConn);
