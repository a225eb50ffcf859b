//! The database: the backend's name, which stands here alone, the schema, the migrations and the seeders.

pub mod schema;
mod seeders;

use paravel::database::{Migration, Seeders};

/// The type of a connection: this names the backend, by the package's feature.
#[cfg(feature = "sqlite")]
pub type Conn = paravel::database::SqliteConn;

/// The backend, for boxed queries.
#[cfg(feature = "sqlite")]
pub type Backend = diesel::sqlite::Sqlite;

/// The SQL type of an id's column.
#[cfg(feature = "sqlite")]
pub type IdSql = diesel::sql_types::Binary;

/// The database, as services have it injected.
pub type Database = paravel::database::Db<Conn>;

/// The facade of the database.
pub type Db = paravel::facades::Db<Conn>;

/// Every migration, embedded.
pub const MIGRATIONS: &[Migration] = paravel::migrations!("database/migrations");

/// Every seeder, in the order in which they run.
pub fn seeders() -> Seeders {
    Seeders::new().with(seeders::RoleSeeder).with(seeders::AdminSeeder)
}
