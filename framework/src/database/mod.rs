//! The database: one engine over the backends, transactions that carry their events, migrations and seeders.
//!
//! [`Db`] runs closures with diesel's query DSL inside. `read` gets a connection that cannot write; `write` and
//! `transaction` run on the primary, in a transaction, and answer after it is committed.
//!
//! ```no_run
//! # #[cfg(feature = "sqlite")] {
//! use diesel::prelude::*;
//! use diesel_async::RunQueryDsl;
//! use paravel::database::{Db, DbError, SqliteConn};
//!
//! diesel::table! {
//!     ships (id) { id -> Integer, name -> Text }
//! }
//!
//! async fn rename(db: &Db<SqliteConn>, id: i32, name: String) -> Result<Vec<String>, DbError> {
//!     db.write(async move |c| {
//!         diesel::update(ships::table.find(id)).set(ships::name.eq(name)).execute(c).await?;
//!         Ok::<_, DbError>(())
//!     })
//!     .await?;
//!     db.read(async |c| Ok(ships::table.select(ships::name).load(c).await?)).await
//! }
//! # }
//! ```

mod admin;
mod advice;
mod after_commit;
mod apart;
mod catalogue;
mod commands;
mod connection;
mod cursor;
mod db;
mod derived;
mod error;
#[cfg(feature = "factories")]
pub mod factories;
mod func;
mod insert;
mod internals;
mod isolation;
mod load;
mod migrations;
#[cfg(feature = "mysql")]
mod mysql;
mod page;
#[cfg(feature = "postgres")]
mod postgres;
mod raw;
mod read_cache;
mod relations;
#[doc(hidden)]
pub mod repository;
mod seed;
mod seeder;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod server;
#[cfg(feature = "sqlite")]
mod sqlite;
mod types;
mod watch;

#[cfg(any(feature = "postgres", feature = "mysql"))]
pub use crate::support::TlsFault;
pub use admin::{DatabaseAdmin, DatabaseInfo};
pub(crate) use advice::advice;
pub use after_commit::{after_commit, each_commit, in_transaction};
pub(crate) use apart::apart;
pub use catalogue::{ColumnInfo, ForeignKeyInfo, IndexInfo, TableInfo};
pub use connection::{Connection, Driver, Heard, ReadFrom, Run, Verdict, Work};
pub use cursor::{Cursor, CursorError, CursorPage, CursorRequest, CursorValue, PER_PAGE_MAX, Seek, SortOrder};
pub use db::Db;
pub(crate) use db::refuse_nesting;
pub use derived::{DerivedData, Forgotten};
pub use error::DbError;
pub use func::{AsyncFunc, DbClosure};
pub use insert::InsertRows;
pub use internals::DatabaseInternals;
pub use isolation::Isolation;
pub use load::{DatabaseLoad, PoolLoad};
pub(crate) use migrations::misnamed;
pub use migrations::{
    Migration, MigrationError, MigrationStatus, MigrationStep, Migrator, PendingMigration, TOOLKIT_MIGRATIONS,
};
#[cfg(feature = "mysql")]
pub use mysql::{MysqlConn, MysqlDriver};
pub use page::{Page, PageRequest};
#[cfg(feature = "postgres")]
pub use postgres::{PgConn, PgDriver};
pub use raw::{Row, Statement, Value};
pub use read_cache::{CachedRead, ReadCache, ReadCodec, ReadKey, ReadValue};
pub use relations::{with_many, with_one};
pub use seed::Seed;
pub use seeder::{DynSeeder, Seeder, SeederInfo, Seeders, UnknownSeeder};
#[cfg(feature = "sqlite")]
pub use sqlite::{
    FromJson, FromJsonRow, JsonColumns, JsonForm, JsonGroup, JsonRows, Nested, SqliteCalls, SqliteConn, SqliteDriver,
    nested,
};
pub(crate) use watch::FromPrimary;
pub use watch::{Fingerprint, QueryWatch, SlowQuery, Source, StickyReads, WatchPolicy, WatchedQuery, from_primary};
