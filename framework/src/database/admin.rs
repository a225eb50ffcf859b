use futures_util::future::{BoxFuture, FutureExt};
use serde::Serialize;

use super::{Connection, DatabaseInternals, Db, DbError, Driver, Row, Statement};

/// What the console does with a database, whatever its backend. [`Db`] implements it.
pub trait DatabaseAdmin: DatabaseInternals {
    /// The backend's name: `sqlite`, `postgres` or `mysql`.
    fn backend(&self) -> &'static str;

    /// The address, without a password.
    fn url(&self) -> String;

    /// Whether there is no database yet: a file that opening it would make.
    fn is_missing(&self) -> bool;

    /// Opens the database.
    fn connect(&self) -> BoxFuture<'_, Result<(), DbError>>;

    /// Does what waits and closes the database.
    fn close(&self) -> BoxFuture<'_, ()>;

    /// The rows of a query, which the primary is asked.
    fn fetch(&self, query: Statement) -> BoxFuture<'_, Result<Vec<Row>, DbError>>;

    /// Runs a statement and then a script, in one transaction.
    fn apply(&self, first: Option<Statement>, script: String) -> BoxFuture<'_, Result<(), DbError>>;

    /// Drops every table and view.
    fn wipe(&self) -> BoxFuture<'_, Result<(), DbError>>;

    /// What `db:show` shows.
    fn info(&self) -> BoxFuture<'_, Result<DatabaseInfo, DbError>>;
}

/// What `db:show` shows.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct DatabaseInfo {
    /// The backend.
    pub backend: &'static str,
    /// The address, without a password.
    pub url: String,
    /// The replica's address, without a password, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_url: Option<String>,
    /// The backend's version and the settings in force.
    pub settings: serde_json::Map<String, serde_json::Value>,
    /// Every table with its number of rows.
    pub tables: serde_json::Map<String, serde_json::Value>,
}

impl<C: Connection> DatabaseAdmin for Db<C> {
    fn backend(&self) -> &'static str {
        C::BACKEND
    }

    fn url(&self) -> String {
        self.config().url.to_string()
    }

    fn is_missing(&self) -> bool {
        !self.is_open() && C::Driver::is_missing(self.config())
    }

    fn connect(&self) -> BoxFuture<'_, Result<(), DbError>> {
        Self::connect(self).boxed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Self::close(self).boxed()
    }

    fn fetch(&self, query: Statement) -> BoxFuture<'_, Result<Vec<Row>, DbError>> {
        async move { self.read_primary(async |c| Ok(c.fetch(&query).await?)).await }.boxed()
    }

    fn apply(&self, first: Option<Statement>, script: String) -> BoxFuture<'_, Result<(), DbError>> {
        async move {
            self.write(async move |c| {
                if let Some(first) = &first {
                    c.run(first).await?;
                }
                c.batch_execute(&script).await?;
                Ok(())
            })
            .await
        }
        .boxed()
    }

    fn wipe(&self) -> BoxFuture<'_, Result<(), DbError>> {
        async move { self.write(async move |c| Ok(c.drop_everything().await?)).await }.boxed()
    }

    fn info(&self) -> BoxFuture<'_, Result<DatabaseInfo, DbError>> {
        async move {
            let settings = self.driver().await?.describe().await?;
            let settings = settings.into_iter().map(|(name, value)| (name, value.into())).collect();
            let mut tables = serde_json::Map::new();
            for table in self.fetch_rows(C::TABLES).await? {
                let name = table.text("name");
                let count = format!("select count(*) as n from {}", C::quoted(name));
                let count = self.fetch_rows(&count).await?.first().map_or(0, |row| row.integer("n"));
                tables.insert(name.to_owned(), count.into());
            }
            let read_url = self.config().read_url.as_ref().map(ToString::to_string);
            Ok(DatabaseInfo { backend: C::BACKEND, url: self.config().url.to_string(), read_url, settings, tables })
        }
        .boxed()
    }
}

impl<C: Connection> Db<C> {
    async fn fetch_rows(&self, query: &str) -> Result<Vec<Row>, DbError> {
        DatabaseAdmin::fetch(self, Statement::new(query)).await
    }
}
