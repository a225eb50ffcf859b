//! Extractors: what a handler's arguments are made from.

mod inject;
mod json;
mod path;
mod query;
mod valid;

pub use json::Json;
pub use path::Path;
pub use query::Query;
pub use valid::{Valid, Validated};
