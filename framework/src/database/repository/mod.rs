//! What a table is nearly always asked for, written by [`repository!`](crate::repository).

mod keyed;
mod macros;

pub use keyed::{changes_nothing, chunks, in_order};
