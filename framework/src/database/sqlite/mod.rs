//! SQLite: one writer thread that commits in groups, and several readers, over a write-ahead log.

mod calls;
mod checkpoint;
mod connection;
mod driver;
mod group;
mod insert;
mod last_error;
pub(super) mod moments;
mod nested;
mod obstacle;
mod pace;
mod readers;
mod writer;

pub use calls::SqliteCalls;
pub use connection::SqliteConn;
pub use driver::SqliteDriver;
pub use nested::{FromJson, FromJsonRow, JsonColumns, JsonForm, JsonGroup, JsonRows, Nested, nested};
