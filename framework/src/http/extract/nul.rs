use serde_json::Value;

/// What is answered to a text with a U+0000 in it. PostgreSQL keeps none, and what others make of one differs.
pub(super) const MESSAGE: &str = "must not contain the character U+0000";

/// The path of the first text with a U+0000 in a JSON body that is well formed; `None` where there is none.
pub(super) fn path_in_json(bytes: &[u8]) -> Option<String> {
    // JSON has the character as an escape alone; what looks like one may be an escaped backslash and digits.
    let may_have = bytes.split(|byte| *byte == b'\\').skip(1).any(|after| after.starts_with(b"u0000"));
    if !may_have {
        return None;
    }
    let value: Value = serde_json::from_slice(bytes).ok()?;
    let mut path = String::new();
    find(&value, &mut path).then_some(path)
}

/// Whether there is one; the path is where, then. As deep as serde_json reads, which has a limit.
fn find(value: &Value, path: &mut String) -> bool {
    let before = path.len();
    match value {
        Value::String(text) => return text.contains('\0'),
        Value::Array(values) => {
            for (index, value) in values.iter().enumerate() {
                path.push_str(&format!("[{index}]"));
                if find(value, path) {
                    return true;
                }
                path.truncate(before);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                if before > 0 {
                    path.push('.');
                }
                path.push_str(name);
                if name.contains('\0') || find(value, path) {
                    return true;
                }
                path.truncate(before);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
    false
}

#[cfg(test)]
mod tests {
    use super::path_in_json;

    #[test]
    fn the_first_text_with_a_nul_is_named() {
        let of = |text: &str| path_in_json(text.as_bytes());
        assert_eq!(of(r#"{"name": "a", "more": {"tags": ["b", "c\u0000"]}}"#).as_deref(), Some("more.tags[1]"));
        assert_eq!(of(r#""\u0000""#).as_deref(), Some(""));
        assert_eq!(of(r#"{"a\u0000": 1}"#).as_deref(), Some("a\0"));
        assert_eq!(of(r#"{"name": "\\u0000", "other": "\u00001"}"#).as_deref(), Some("other"));
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        for text in [r#"{"name": "a"}"#, r#"{"name": "\\u0000"}"#, r#"{"name": "\u0001"}"#, "u0000"] {
            assert_eq!(path_in_json(text.as_bytes()), None, "{text}");
        }
    }
}
