/// The statement with `$1`, `$2` in place of its `?`. Those in literals, quoted names and comments stay.
pub(super) fn numbered(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len() + 8);
    let mut rest = sql;
    let mut count = 0;
    while let Some(at) = rest.find(['?', '\'', '"', '-', '/', '$']) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        if let Some(after) = from.strip_prefix('?') {
            count += 1;
            out.push('$');
            out.push_str(&count.to_string());
            rest = after;
        } else {
            let (kept, after) = from.split_at(skipped(from, before.chars().next_back()));
            out.push_str(kept);
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// How long what begins here is, which may hold question marks that are no placeholders.
fn skipped(from: &str, before: Option<char>) -> usize {
    let until = |open: usize, close: &str| from[open..].find(close).map_or(from.len(), |at| open + at + close.len());
    match from.as_bytes() {
        // A doubled quote ends one literal and begins the next, which comes to the same.
        [b'\'', ..] if matches!(before, Some('e' | 'E')) => escaped(from),
        [b'\'', ..] => until(1, "'"),
        [b'"', ..] => until(1, "\""),
        [b'-', b'-', ..] => until(2, "\n"),
        [b'/', b'*', ..] => until(2, "*/"),
        [b'$', ..] => match from[1..].find('$') {
            Some(end) if is_tag(&from[1..=end]) => until(end + 2, &from[..end + 2]),
            _ => 1,
        },
        _ => 1,
    }
}

fn is_tag(text: &str) -> bool {
    text.chars().all(|character| character == '_' || character.is_alphanumeric())
        && !text.starts_with(|character: char| character.is_ascii_digit())
}

/// The length of a literal in which a backslash takes the next character's meaning away.
fn escaped(from: &str) -> usize {
    let mut characters = from.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => drop(characters.next()),
            '\'' => return at + 1,
            _ => {}
        }
    }
    from.len()
}

#[cfg(test)]
mod tests {
    use super::numbered;

    #[test]
    fn placeholders_are_numbered() {
        assert_eq!(numbered("select ?, a from t where b = ? - ?"), "select $1, a from t where b = $2 - $3");
        assert_eq!(numbered("select 1 / 2"), "select 1 / 2");
        assert_eq!(numbered("?"), "$1");
        assert_eq!(numbered(""), "");
    }

    #[test]
    fn question_marks_that_are_text_stay() {
        for kept in
            ["'a?'", "'it''s ?'", "\"a?\"", "-- what?\n", "/* ? */", "$$ ? $$", "$f$ $$ ? $f$", "E'\\'?'", "'unended ?"]
        {
            assert_eq!(numbered(&format!("? {kept}")), format!("$1 {kept}"));
        }
        assert_eq!(numbered("'?' || ? || '?'"), "'?' || $1 || '?'");
        assert_eq!(numbered("'é' ? $1 ?"), "'é' $1 $1 $2");
    }
}
