use diesel::{
    QueryResult, QueryableByName, SqliteConnection, deserialize,
    row::NamedRow,
    sql_types::{Nullable, Text},
    sqlite::{Sqlite, SqliteType},
};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection, sync_connection_wrapper::SyncConnectionWrapper};
use futures_util::future::BoxFuture;

use super::{SqliteCalls, SqliteDriver};
use crate::database::{
    Connection, Row, Statement, Value,
    raw::{self, Bound},
};

/// A SQLite connection: diesel's own, behind diesel-async's interface.
pub type SqliteConn = SyncConnectionWrapper<SqliteConnection, SqliteCalls>;

impl Connection for SqliteConn {
    type Driver = SqliteDriver;

    const BACKEND: &'static str = "sqlite";
    // SQLite's SQLITE_MAX_VARIABLE_NUMBER, where it was built without another one.
    const MAX_BINDS: usize = 32_766;
    const TABLES: &'static str =
        "select name from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name";
    const COLUMNS: &'static str = "select name, type, dflt_value as default_value, pk > 0 as is_primary, \
                                   \"notnull\" = 0 and pk = 0 as is_nullable from pragma_table_info(?) order by cid";
    const INDEXES: &'static str = "select i.name as name, coalesce(c.name, '(expression)') as column_name, \
                                   i.\"unique\" as is_unique \
                                   from pragma_index_list(?) i, pragma_index_info(i.name) c order by i.name, c.seqno";
    const FOREIGN_KEYS: &'static str = "select cast(id as text) as name, \"from\" as column_name, \
                                        \"table\" as target_table, \"to\" as target_column, on_delete \
                                        from pragma_foreign_key_list(?) order by id, seq";

    fn run<'c>(&'c mut self, statement: &'c Statement) -> BoxFuture<'c, QueryResult<usize>> {
        Box::pin(async move { bound(statement).execute(self).await })
    }

    fn fetch<'c>(&'c mut self, statement: &'c Statement) -> BoxFuture<'c, QueryResult<Vec<Row>>> {
        Box::pin(async move { bound(statement).load(self).await })
    }

    fn drop_everything(&mut self) -> BoxFuture<'_, QueryResult<()>> {
        Box::pin(async move {
            let objects =
                "select type, name from sqlite_master where name not like 'sqlite_%' and type in ('table', 'view')";
            let keys = "select m.name as child, k.\"table\" as parent from sqlite_master m, pragma_foreign_key_list(m.name) k \
                        where m.type = 'table' and k.\"table\" <> m.name";
            let mut objects = self.fetch(&Statement::new(objects)).await?;
            let mut keys = self.fetch(&Statement::new(keys)).await?;
            // Children before their parents: dropping a table empties it first, and that follows the keys.
            while !objects.is_empty() {
                let free = |object: &Row| keys.iter().all(|key| key.text("parent") != object.text("name"));
                let Some(next) = objects.iter().position(free) else {
                    // All that is left is a circle. Once it is empty no key is in the way.
                    empty(self, &objects).await?;
                    keys.clear();
                    continue;
                };
                let object = objects.swap_remove(next);
                keys.retain(|key| key.text("child") != object.text("name"));
                self.batch_execute(&format!("drop {} {}", object.text("type"), Self::quoted(object.text("name"))))
                    .await?;
            }
            Ok(())
        })
    }
}

/// Deletes every row of these tables; keys are looked at when all are gone.
async fn empty(c: &mut SqliteConn, tables: &[Row]) -> QueryResult<()> {
    c.batch_execute("pragma defer_foreign_keys = on").await?;
    for table in tables {
        c.batch_execute(&format!("delete from {}", SqliteConn::quoted(table.text("name")))).await?;
    }
    c.batch_execute("pragma defer_foreign_keys = off").await
}

fn bound(statement: &Statement) -> Bound<Sqlite> {
    raw::bound(statement.sql(), statement.values(), |query| query.bind::<Nullable<Text>, _>(None::<String>))
}

impl QueryableByName<Sqlite> for Row {
    fn build<'a>(row: &impl NamedRow<'a, Sqlite>) -> deserialize::Result<Self> {
        raw::row(row, |mut value| {
            Ok(match value.value_type() {
                None => Value::Null,
                Some(SqliteType::Text) => Value::Text(value.read_text().to_owned()),
                Some(SqliteType::Binary) => Value::Bytes(value.read_blob().to_vec()),
                Some(SqliteType::Float | SqliteType::Double) => Value::Real(value.read_double()),
                Some(_) => Value::Integer(value.read_long()),
            })
        })
    }
}
