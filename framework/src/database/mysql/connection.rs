use diesel::{
    QueryResult,
    mysql::Mysql,
    sql_types::{Nullable, Text},
};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use futures_util::future::BoxFuture;

use super::{MysqlDriver, catalogue};
use crate::database::{
    Connection, Row, Statement,
    raw::{self, Bound},
};

/// A connection to MySQL or MariaDB: diesel-async's own.
pub type MysqlConn = diesel_async::AsyncMysqlConnection;

impl Connection for MysqlConn {
    type Driver = MysqlDriver;

    const BACKEND: &'static str = "mysql";
    // The protocol counts them in 16 bits.
    const MAX_BINDS: usize = 65_535;
    const QUOTE: char = '`';
    const TABLES: &'static str = "select table_name as name from information_schema.tables \
                                  where table_schema = database() and table_type = 'BASE TABLE' order by hex(table_name)";
    const COLUMNS: &'static str = catalogue::COLUMNS;
    const INDEXES: &'static str = catalogue::INDEXES;
    const FOREIGN_KEYS: &'static str = catalogue::FOREIGN_KEYS;

    fn run<'c>(&'c mut self, statement: &'c Statement) -> BoxFuture<'c, QueryResult<usize>> {
        Box::pin(async move { bound(statement).execute(self).await })
    }

    fn fetch<'c>(&'c mut self, statement: &'c Statement) -> BoxFuture<'c, QueryResult<Vec<Row>>> {
        Box::pin(async move { bound(statement).load(self).await })
    }

    // No lock that ends with the transaction: each change of the schema ends that.
    fn lock_migrations(&mut self) -> BoxFuture<'_, QueryResult<()>> {
        Box::pin(async move { self.batch_execute("do get_lock(md5(concat('migrations ', database())), 3600)").await })
    }

    fn unlock_migrations(&mut self, keep: bool) -> BoxFuture<'_, QueryResult<()>> {
        // What follows the last change of the schema is still open, and the next migrator has to see it.
        let end = if keep { "commit" } else { "rollback" };
        let unlock = format!("{end}; do release_lock(md5(concat('migrations ', database())))");
        Box::pin(async move { self.batch_execute(&unlock).await })
    }

    fn drop_everything(&mut self) -> BoxFuture<'_, QueryResult<()>> {
        Box::pin(async move {
            self.batch_execute("set foreign_key_checks = 0").await?;
            let dropped = drop_all(self).await;
            // In any case: the connection is used again.
            self.batch_execute("set foreign_key_checks = 1").await?;
            dropped
        })
    }
}

async fn drop_all(c: &mut MysqlConn) -> QueryResult<()> {
    let objects = "select table_name as name, if(table_type = 'VIEW', 'view', 'table') as kind \
                   from information_schema.tables where table_schema = database()";
    for object in c.fetch(&Statement::new(objects)).await? {
        let name = MysqlConn::quoted(object.text("name"));
        c.batch_execute(&format!("drop {} {name}", object.text("kind"))).await?;
    }
    Ok(())
}

fn bound(statement: &Statement) -> Bound<Mysql> {
    raw::bound(statement.sql(), statement.values(), |query| query.bind::<Nullable<Text>, _>(None::<String>))
}
