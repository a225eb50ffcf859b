//! Rows inside a row, in one query: SQLite puts them into JSON, and diesel's own types say what is read back.

mod columns;
mod expression;
mod field;
mod row;

pub use columns::{JsonColumns, JsonForm};
pub use expression::{JsonGroup, JsonRows, Nested, nested};
pub use field::FromJson;
pub use row::FromJsonRow;
