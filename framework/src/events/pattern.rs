use crate::container::Key;

/// Whether a type is one that a pattern means. `*` stands for any text, none included. A pattern with `::` is about the
/// type's name with its paths, any other about the name alone.
pub(super) fn matches(pattern: &str, key: Key) -> bool {
    // Before a name is made: most listeners of all events have no other.
    if pattern == "*" {
        return true;
    }
    if pattern.contains("::") { means(pattern, key.full_name()) } else { means(pattern, &key.to_string()) }
}

fn means(pattern: &str, name: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        // The first place will do: whatever a later one leaves, it leaves, too.
        let Some(at) = name.find(part) else { return false };
        name = &name[at + part.len()..];
    }
    name.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::means;

    #[test]
    fn a_star_stands_for_any_text() {
        for pattern in ["*", "User*", "*Registered", "*er*", "User*Registered", "U*e*R*d", "UserRegistered", "**"] {
            assert!(means(pattern, "UserRegistered"), "{pattern}");
        }
        for pattern in ["", "User", "Registered", "Users*", "*Register", "user*", "UserRegistered*d", "*Regi*Regi*"] {
            assert!(!means(pattern, "UserRegistered"), "{pattern}");
        }
    }
}
