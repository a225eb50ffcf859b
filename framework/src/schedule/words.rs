/// The words of a command line, of which quotes keep together what has spaces: `mail:send "Ada Lovelace" --again`.
pub(super) fn words(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None | Some('"'), '\\') => word.get_or_insert_default().extend(characters.next()),
            (None, _) if character.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    match quote {
        Some(open) => Err(format!("its {open} is not closed")),
        None => Ok(words),
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn a_line_is_words_and_quotes_keep_what_has_spaces_together() {
        let read = |line| words(line).unwrap();
        assert_eq!(read("  tokens:prune --days 30 "), ["tokens:prune", "--days", "30"]);
        assert_eq!(
            read(r#"mail "Ada L." 'a "b" \' --to="x y" '' c\ d "\"""#),
            ["mail", "Ada L.", r#"a "b" \"#, "--to=x y", "", "c d", "\""]
        );
        assert!(read("").is_empty());
        assert_eq!(words("mail 'Ada"), Err("its ' is not closed".to_owned()));
    }
}
