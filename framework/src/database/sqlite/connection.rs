use std::error::Error;

use diesel::{
    QueryResult, QueryableByName, SqliteConnection, deserialize,
    query_builder::{BoxedSqlQuery, SqlQuery},
    row::{Field, NamedRow},
    sql_types::{BigInt, Binary, Double, Nullable, Text},
    sqlite::{Sqlite, SqliteType},
};
use diesel_async::{
    RunQueryDsl, SimpleAsyncConnection,
    sync_connection_wrapper::{SpawnBlocking, SyncConnectionWrapper},
};
use futures_util::future::BoxFuture;

use super::SqliteDriver;
use crate::database::{Connection, Row, Statement, Value};

/// A SQLite connection: diesel's own, behind diesel-async's interface.
pub type SqliteConn = SyncConnectionWrapper<SqliteConnection, Inline>;

/// Runs SQLite's calls on the thread that polls: a query takes microseconds, a hop to another thread more.
#[derive(Debug, Clone, Copy, Default)]
pub struct Inline;

impl SpawnBlocking for Inline {
    fn spawn_blocking<'a, R>(
        &mut self,
        task: impl FnOnce() -> R + Send + 'static,
    ) -> BoxFuture<'a, Result<R, Box<dyn Error + Send + Sync + 'static>>>
    where
        R: Send + 'static,
    {
        Box::pin(async move { Ok(task()) })
    }

    fn get_runtime() -> Self {
        Self
    }
}

impl Connection for SqliteConn {
    type Driver = SqliteDriver;

    const BACKEND: &'static str = "sqlite";
    const TABLES: &'static str =
        "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name";

    fn run<'c>(&'c mut self, statement: &'c Statement) -> BoxFuture<'c, QueryResult<usize>> {
        Box::pin(async move { bound(statement).execute(self).await })
    }

    fn fetch<'c>(&'c mut self, statement: &'c Statement) -> BoxFuture<'c, QueryResult<Vec<Row>>> {
        Box::pin(async move { bound(statement).load(self).await })
    }

    fn drop_everything(&mut self) -> BoxFuture<'_, QueryResult<()>> {
        Box::pin(async move {
            // Tables point at each other; the keys are checked at commit, when all are gone.
            self.batch_execute("pragma defer_foreign_keys = on").await?;
            let objects = Statement::new(
                "select type, name from sqlite_master where type in ('table', 'view') and name not like 'sqlite_%'",
            );
            for object in self.fetch(&objects).await? {
                let name = object.text("name").replace('"', "\"\"");
                self.batch_execute(&format!("drop {} \"{name}\"", object.text("type"))).await?;
            }
            Ok(())
        })
    }
}

fn bound(statement: &Statement) -> BoxedSqlQuery<'static, Sqlite, SqlQuery> {
    let mut query = diesel::sql_query(statement.sql()).into_boxed::<Sqlite>();
    for value in statement.values() {
        query = match value.clone() {
            Value::Null => query.bind::<Nullable<Text>, _>(None::<String>),
            Value::Integer(number) => query.bind::<BigInt, _>(number),
            Value::Real(number) => query.bind::<Double, _>(number),
            Value::Text(text) => query.bind::<Text, _>(text),
            Value::Bytes(bytes) => query.bind::<Binary, _>(bytes),
        };
    }
    query
}

impl QueryableByName<Sqlite> for Row {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        let mut columns = Vec::with_capacity(row.field_count());
        for index in 0..row.field_count() {
            let Some(field) = diesel::row::Row::get(row, index) else { continue };
            let name = field.field_name().unwrap_or_default().to_owned();
            let value = match field.value() {
                None => Value::Null,
                Some(mut value) => match value.value_type() {
                    None => Value::Null,
                    Some(SqliteType::Text) => Value::Text(value.read_text().to_owned()),
                    Some(SqliteType::Binary) => Value::Bytes(value.read_blob().to_vec()),
                    Some(SqliteType::Float | SqliteType::Double) => Value::Real(value.read_double()),
                    Some(_) => Value::Integer(value.read_long()),
                },
            };
            columns.push((name, value));
        }
        Ok(columns.into_iter().collect())
    }
}
