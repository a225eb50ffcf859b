//! What a table is nearly always asked for, written by [`repository!`](crate::repository).

mod insert;
mod keyed;
mod macros;

pub use insert::InsertMany;
pub use keyed::{chunks, in_order};
