use futures_util::future::{BoxFuture, FutureExt};

use super::{Connection, DatabaseLoad, Db, DbError, MigrationStep, Statement, TableInfo, catalogue, migrations};

/// What the migrator and the console's `db` commands need of a database beyond
/// [`DatabaseAdmin`](super::DatabaseAdmin), whatever its backend. [`Db`] implements it.
pub trait DatabaseInternals: Send + Sync {
    /// The names of all tables.
    fn tables(&self) -> BoxFuture<'_, Result<Vec<String>, DbError>>;

    /// What `db:table` shows of a table that is there.
    fn table<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<TableInfo, DbError>>;

    /// Takes a migrator's step, in a transaction of its own and while no other migrator takes one. Returns whether
    /// there was anything to do.
    fn step(&self, step: MigrationStep) -> BoxFuture<'_, Result<bool, DbError>>;

    /// How much it has to do at this moment.
    fn load(&self) -> DatabaseLoad;
}

impl<C: Connection> DatabaseInternals for Db<C> {
    fn tables(&self) -> BoxFuture<'_, Result<Vec<String>, DbError>> {
        async move {
            let query = Statement::new(C::TABLES);
            let rows = self.read_primary(async |c| Ok::<_, DbError>(c.fetch(&query).await?)).await?;
            Ok(rows.iter().map(|row| row.text("name").to_owned()).collect())
        }
        .boxed()
    }

    fn table<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<TableInfo, DbError>> {
        async move { self.read_primary(async |c| Ok(catalogue::describe(c, name).await?)).await }.boxed()
    }

    fn step(&self, step: MigrationStep) -> BoxFuture<'_, Result<bool, DbError>> {
        async move { self.write(async move |c| migrations::take(c, &step).await).await }.boxed()
    }

    fn load(&self) -> DatabaseLoad {
        Self::load(self)
    }
}
