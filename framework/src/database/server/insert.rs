use diesel::{
    Insertable, QueryResult, Table,
    associations::HasTable,
    query_builder::{InsertStatement, QueryId},
};
use diesel_async::{RunQueryDsl, methods::ExecuteDsl};
use futures_util::future::BoxFuture;

use super::Server;
use crate::database::InsertRows;

/// The most rows that one statement inserts. A row has at most 128 columns, diesel's widest table, and no backend binds
/// more than 65535 values to a statement.
const ROWS_A_STATEMENT: usize = 500;

impl<C, T, R> InsertRows<T, R> for C
where
    C: Server,
    T: Table + HasTable<Table = T> + Send + 'static,
    R: Send + 'static,
    Vec<R>: Insertable<T>,
    InsertStatement<T, <Vec<R> as Insertable<T>>::Values>: ExecuteDsl<C> + QueryId + Send,
{
    fn insert_rows(&mut self, rows: Vec<R>) -> BoxFuture<'_, QueryResult<usize>> {
        Box::pin(async move {
            let mut rows = rows.into_iter();
            let mut count = 0;
            loop {
                let some: Vec<_> = rows.by_ref().take(ROWS_A_STATEMENT).collect();
                if some.is_empty() {
                    return Ok(count);
                }
                count += diesel::insert_into(T::table()).values(some).execute(self).await?;
            }
        })
    }
}
