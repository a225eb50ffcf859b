//! The text of a `.env` file, where it is looked at or changed rather than read.

/// The value that a line gives this variable, as it is read at start; `None` where the line is about something else.
fn value(line: &str, name: &str) -> Option<String> {
    let mut pairs = dotenvy::from_read_iter(line.as_bytes());
    match pairs.next() {
        Some(Ok((found, value))) => (found == name).then_some(value),
        // A line that cannot be read is its writer's to put right, and none that is to be written over.
        Some(Err(_)) => names(line, name).then(|| line.to_owned()),
        None => None,
    }
}

fn names(line: &str, name: &str) -> bool {
    let line = line.trim_start();
    let line = line.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t'])).unwrap_or(line).trim_start();
    line.strip_prefix(name).is_some_and(|rest| rest.trim_start().starts_with('='))
}

/// Whether the text gives the variable a value that is not empty.
pub(crate) fn has_value(text: &str, name: &str) -> bool {
    text.lines().filter_map(|line| value(line, name)).any(|value| !value.is_empty())
}

/// The text with the variable set: in the place of the first line that sets it, those that set it again left out, or as
/// a last line. Other lines stay as they are, and so do the line's `export` and comment.
pub(crate) fn with_value(text: &str, name: &str, new: &str) -> String {
    let mut done = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if value(line, name).is_none() {
            lines.push(line.to_owned());
        } else if !done {
            done = true;
            let (before, after) = line.split_once('=').unwrap_or((line, ""));
            let export = if before.trim_start().starts_with("export") { "export " } else { "" };
            let comment = after.find(" #").map_or("", |start| &after[start..]);
            lines.push(format!("{export}{name}={new}{comment}"));
        }
    }
    if !done {
        lines.push(format!("{name}={new}"));
    }
    lines.join("\n") + "\n"
}

/// Whether the line has a `$` that stands for nothing: it would be lost, and what follows it, without a word.
pub(crate) fn loses_a_dollar(line: &str, is_set: impl Fn(&str) -> bool) -> bool {
    let Some((name, value)) = line.split_once('=').filter(|_| !line.trim_start().starts_with('#')) else {
        return false;
    };
    let (mut quote, mut before) = (None, '=');
    let mut rest = value;
    while let Some(character) = rest.chars().next() {
        rest = &rest[character.len_utf8()..];
        match (character, quote) {
            ('\\', None | Some('"')) => rest = rest.get(1..).unwrap_or_default(),
            ('\'' | '"', None) => quote = Some(character),
            ('\'' | '"', Some(open)) if open == character => quote = None,
            ('#', None) if before.is_whitespace() => return false,
            ('$', None | Some('"')) => {
                // As dotenvy reads it: without braces, an underscore ends the name.
                let other = match rest.strip_prefix('{') {
                    Some(braced) => braced.split('}').next().unwrap_or_default(),
                    None => rest.split(|next: char| !next.is_ascii_alphanumeric()).next().unwrap_or_default(),
                };
                if other.is_empty() || other == name.trim() || !is_set(other) {
                    return true;
                }
            }
            _ => {}
        }
        before = character;
    }
    false
}
