//! Extractors: what a handler's arguments are made from.

mod can;
mod inject;
mod json;
mod named;
mod nul;
mod path;
mod query;
mod valid;

pub use can::Can;
pub use json::Json;
pub use path::Path;
pub use query::Query;
pub use valid::{Valid, Validated};

/// What serde says of a wrong value, in JSON's words instead of Rust's.
fn in_words(message: &str) -> String {
    let Some((found, expected)) = message.rsplit_once(", expected ") else { return message.to_owned() };
    let expected = match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "usize" => "a whole number that is not negative",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "unit" => "null",
        "a map" => "an object",
        "a sequence" => "an array",
        other if other.starts_with("struct ") => "an object",
        other if other.starts_with("enum ") => "one of its words",
        other => other,
    };
    let found = found.replace("invalid type: map", "invalid type: an object");
    let found = found.replace("invalid type: sequence", "invalid type: an array");
    format!("{found}, expected {expected}")
}

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
