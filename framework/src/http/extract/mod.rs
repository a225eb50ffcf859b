//! Extractors: what a handler's arguments are made from.

mod can;
mod inject;
mod json;
mod named;
mod nul;
mod path;
mod query;
mod valid;
mod words;

pub use can::Can;
pub use json::Json;
pub use path::Path;
pub use query::Query;
pub use valid::{Valid, Validated};
use words::in_words;

/// The path of the field that serde found wrong; empty for the whole. Of a field that is missing, or there twice, serde
/// knows the path of what it belongs to alone, and its name stands in the message only.
fn faulty_field(path: &serde_path_to_error::Path, message: &str) -> String {
    let path = match path.to_string() {
        root if root == "." => String::new(),
        path => path,
    };
    let named = message.strip_prefix("missing field `").or_else(|| message.strip_prefix("duplicate field `"));
    match named.and_then(|rest| rest.split('`').next()) {
        None => path,
        Some(name) if path.is_empty() => name.to_owned(),
        Some(name) => format!("{path}.{name}"),
    }
}
