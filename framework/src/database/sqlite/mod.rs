//! SQLite: one writer thread and several readers over a write-ahead log.

mod connection;
mod driver;
mod readers;
mod writer;

pub use connection::{Inline, SqliteConn};
pub use driver::SqliteDriver;
