use diesel::{
    Insertable, QueryResult, Table,
    associations::HasTable,
    mysql::Mysql,
    query_builder::{InsertStatement, QueryFragment, QueryId},
};
use diesel_async::RunQueryDsl;
use futures_util::future::BoxFuture;

use super::MysqlConn;
use crate::database::{InsertRows, insert::ROWS_A_STATEMENT};

impl<T, R> InsertRows<T, R> for MysqlConn
where
    T: Table + HasTable<Table = T> + Send + 'static,
    R: Send + 'static,
    Vec<R>: Insertable<T>,
    InsertStatement<T, <Vec<R> as Insertable<T>>::Values>: QueryFragment<Mysql> + QueryId + Send,
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
