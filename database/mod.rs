//! The database: the backend's name, which stands here alone, the schema, the migrations, the factories and
//! the seeders.

pub mod factories;
pub mod schema;
mod seeders;

use paravel::database::{Migration, Seeders};

/// PostgreSQL, where its feature is on.
#[cfg(feature = "postgres")]
mod backend {
    pub type Conn = paravel::database::PgConn;
    pub type Backend = diesel::pg::Pg;
    pub type IdSql = diesel::sql_types::Uuid;
}

/// MySQL or MariaDB, where its feature is on and PostgreSQL's is not.
#[cfg(all(feature = "mysql", not(feature = "postgres")))]
mod backend {
    pub type Conn = paravel::database::MysqlConn;
    pub type Backend = diesel::mysql::Mysql;
    pub type IdSql = diesel::sql_types::Binary;
}

/// SQLite, where no server's feature is on.
#[cfg(all(feature = "sqlite", not(any(feature = "postgres", feature = "mysql"))))]
mod backend {
    pub type Conn = paravel::database::SqliteConn;
    pub type Backend = diesel::sqlite::Sqlite;
    pub type IdSql = diesel::sql_types::Binary;
}

#[cfg(not(any(feature = "sqlite", feature = "postgres", feature = "mysql")))]
compile_error!("the application has no database: turn on the feature `sqlite`, `postgres` or `mysql` in Cargo.toml");

/// The type of a connection, which names the backend.
pub type Conn = backend::Conn;

/// The backend, for boxed queries.
pub type Backend = backend::Backend;

/// The SQL type of an id's column.
pub type IdSql = backend::IdSql;

/// The database, as services have it injected.
pub type Database = paravel::database::Db<Conn>;

/// The facade of the database.
pub type Db = paravel::facades::Db<Conn>;

/// Every migration, embedded.
pub const MIGRATIONS: &[Migration] = paravel::migrations!("database/migrations");

/// Every seeder, in the order in which they run. An optional one runs only where it is asked for: `db:seed --class demo`.
pub fn seeders() -> Seeders {
    Seeders::new().with(seeders::RoleSeeder).with(seeders::AdminSeeder).optional(seeders::DemoSeeder)
}
