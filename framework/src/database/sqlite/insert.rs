use diesel::{
    Insertable, QueryResult, Table,
    associations::HasTable,
    query_builder::{InsertStatement, QueryFragment, QueryId},
    sqlite::Sqlite,
};
use diesel_async::RunQueryDsl;
use futures_util::future::BoxFuture;

use super::SqliteConn;
use crate::database::InsertRows;

impl<T, R> InsertRows<T, R> for SqliteConn
where
    T: Table + HasTable<Table = T> + Send + 'static,
    R: Insertable<T> + Send + 'static,
    InsertStatement<T, R::Values>: QueryFragment<Sqlite> + QueryId + Send,
{
    fn insert_rows(&mut self, rows: Vec<R>) -> BoxFuture<'_, QueryResult<usize>> {
        Box::pin(async move {
            let mut count = 0;
            for row in rows {
                count += diesel::insert_into(T::table()).values(row).execute(self).await?;
            }
            Ok(count)
        })
    }
}
