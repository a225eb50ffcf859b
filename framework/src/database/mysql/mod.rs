//! MySQL and MariaDB: a pool of sessions that cannot write, and one of sessions that do.

mod catalogue;
mod connection;
mod driver;
mod row;

pub use connection::MysqlConn;

/// How the connections of MySQL and MariaDB are kept and used.
pub type MysqlDriver = super::server::ServerDriver<MysqlConn>;
