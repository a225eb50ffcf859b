//! PostgreSQL: a pool of sessions that cannot write, and one of sessions that do.

mod catalogue;
mod connection;
mod driver;
mod placeholders;
mod row;

pub use connection::PgConn;

/// How PostgreSQL's connections are kept and used.
pub type PgDriver = super::server::ServerDriver<PgConn>;
