//! What is written to people.

mod welcome;

pub use welcome::welcome;
