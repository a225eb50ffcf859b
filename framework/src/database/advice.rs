/// What to do about an error of the database, told from its words: by the time it is shown it has gone through errors of the
/// application, and diesel has no kind for it.
pub(crate) fn advice(error: &str) -> Option<&'static str> {
    // SQLite's, PostgreSQL's and MariaDB's.
    let no_table = error.contains("no such table")
        || error.contains("relation \"") && error.contains("does not exist")
        || error.contains("Table '") && error.contains("doesn't exist");
    if no_table {
        return Some("the database is not migrated: run `cargo artisan migrate`");
    }
    let damaged = ["database disk image is malformed", "file is not a database"];
    damaged.iter().any(|words| error.contains(words)).then_some("its file is damaged: restore a copy of it")
}
