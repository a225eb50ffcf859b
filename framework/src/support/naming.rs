/// A type's name without its paths: `dyn app::services::UserService` becomes `dyn UserService`.
///
/// ```
/// use paravel::support::short_name;
///
/// assert_eq!(short_name("alloc::vec::Vec<app::models::User>"), "Vec<User>");
/// ```
pub fn short_name(full: &str) -> String {
    let mut out = String::with_capacity(full.len());
    let mut segment = 0;
    let mut rest = full;
    while let Some(character) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("::") {
            out.truncate(segment);
            rest = after;
            continue;
        }
        out.push(character);
        if !(character.is_alphanumeric() || character == '_') {
            segment = out.len();
        }
        rest = &rest[character.len_utf8()..];
    }
    out
}

/// Puts the candidates that are nearest to what was typed first.
pub(crate) fn nearest_first(typed: &str, candidates: &mut [String]) {
    candidates.sort_by_cached_key(|candidate| (strsim::damerau_levenshtein(typed, candidate), candidate.clone()));
}

/// The candidate nearest to what was typed, where one is near enough to be a slip of the hand.
///
/// ```
/// use paravel::support::nearest;
///
/// assert_eq!(nearest("DATABSE_URL", ["APP_URL", "DATABASE_URL"]), Some("DATABASE_URL"));
/// assert_eq!(nearest("SHELL", ["APP_URL", "DATABASE_URL"]), None);
/// ```
pub fn nearest<'a>(typed: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // One slip in a short name, two in a longer one: more would match by accident.
    let allowed = if typed.len() < 8 { 1 } else { 2 };
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(typed, candidate), candidate))
        .filter(|(distance, _)| (1..=allowed).contains(distance))
        .min()
        .map(|(_, candidate)| candidate)
}

/// The end of a message about a name that there is not: the nearest one, where there is one.
///
/// ```
/// use paravel::support::did_you_mean;
///
/// assert_eq!(format!("no table is called `user`{}", did_you_mean(Some("users"))), "no table is called `user`; did you mean `users`?");
/// assert_eq!(did_you_mean(None), "");
/// ```
pub fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|nearest| format!("; did you mean `{nearest}`?")).unwrap_or_default()
}
