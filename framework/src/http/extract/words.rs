/// What serde and the standard library say of a wrong value, in JSON's words instead of Rust's.
pub(super) fn in_words(message: &str) -> String {
    let plain = match message {
        "number too large to fit in target type" => "the number is too large",
        "number too small to fit in target type" => "the number is too small",
        "invalid digit found in string" | "cannot parse integer from empty string" => "expected a whole number",
        "invalid float literal" | "cannot parse float from empty string" => "expected a number",
        "provided string was not `true` or `false`" => "expected true or false",
        other if other.starts_with("data did not match any variant") => "it has none of the forms that it may have",
        other => return expected_in_words(other),
    };
    plain.to_owned()
}

fn expected_in_words(message: &str) -> String {
    let Some((found, expected)) = message.rsplit_once(", expected ") else { return found_in_words(message) };
    let expected = match expected {
        "u8" => "a whole number from 0 to 255",
        "u16" => "a whole number from 0 to 65535",
        "u32" => "a whole number from 0 to 4294967295",
        "u64" | "u128" | "usize" => "a whole number that is not negative",
        "i8" => "a whole number from -128 to 127",
        "i16" => "a whole number from -32768 to 32767",
        "i32" => "a whole number from -2147483648 to 2147483647",
        "i64" | "i128" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "unit" => "null",
        "a map" => "an object",
        "a sequence" => "an array",
        "string or map" => "a word or an object",
        "variant identifier" | "variant index" => "one of its words",
        other if other.starts_with("a nonzero ") => "a whole number other than 0",
        other if other.starts_with("unit struct ") => "null",
        other if other.starts_with("unit variant ") => "a word alone",
        other if other.starts_with("struct ") => "an object",
        other if other.starts_with("internally tagged enum ") => "an object",
        other if other.starts_with("adjacently tagged enum ") => "an object",
        other if other.starts_with("tuple ") || other.starts_with("a tuple ") => return tuple(found, other),
        other if other.starts_with("enum ") => "one of its words",
        other => other,
    };
    format!("{}, expected {expected}", found_in_words(found))
}

/// What was found begins the message; what comes after it may be the client's own words, which are left as they are.
fn found_in_words(found: &str) -> String {
    let words = [
        ("unknown variant ", "unknown value "),
        ("invalid type: map", "invalid type: an object"),
        ("invalid type: sequence", "invalid type: an array"),
        ("invalid type: newtype variant", "invalid type: an object"),
        ("invalid type: tuple variant", "invalid type: an object"),
        ("invalid type: struct variant", "invalid type: an object"),
        ("invalid type: unit variant", "invalid type: a word"),
        ("invalid type: unit value", "invalid type: null"),
    ];
    let ours = words.iter().find_map(|(theirs, ours)| Some(format!("{ours}{}", found.strip_prefix(theirs)?)));
    ours.unwrap_or_else(|| found.to_owned())
}

/// `a tuple of size 2` and `tuple struct Place with 2 elements` are arrays of 2.
fn tuple(found: &str, expected: &str) -> String {
    let length = expected.split(' ').find_map(|word| word.parse::<usize>().ok());
    let length = length.map(|length| format!(" of length {length}")).unwrap_or_default();
    format!("{}, expected an array{length}", found_in_words(found))
}
