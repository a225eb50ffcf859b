//! The queries, behind traits: what services know of the database.

mod announce;
mod managers;
mod roles;
mod sort;
mod stale;
mod tokens;
mod users;

pub use managers::Guarded;
pub use roles::{DieselRoles, RoleRepository};
pub use sort::{RoleSort, UserSort};
pub use tokens::{DieselTokens, TokenOwner, TokenRepository};
pub use users::{DieselUsers, UserRepository};

use diesel::result::Error::RollbackTransaction;
use paravel::database::DbError;

/// What a list may be asked for besides its page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListRequest<'a, S> {
    /// Which page.
    pub page: paravel::database::PageRequest,
    /// In which order.
    pub sort: S,
    /// Rows with this text in them alone; all where it is empty.
    pub search: &'a str,
}

diesel::define_sql_function! {
    /// In lower case, so that a search finds it however it is written.
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

/// What a closure returns to have its transaction undone.
fn undone() -> DbError {
    DbError::from(RollbackTransaction)
}

/// What came of the transaction; nothing where it was undone.
fn unless_undone<T>(done: Result<T, DbError>) -> Result<Option<T>, DbError> {
    match done {
        Ok(value) => Ok(Some(value)),
        Err(DbError::Query(RollbackTransaction)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A `LIKE` pattern for rows that contain the text, whose own wildcards count as text.
fn containing(search: &str) -> String {
    let mut pattern = String::from("%");
    // A database's text has no zero bytes, and some refuse to look for one.
    for character in search.chars().filter(|character| *character != '\0') {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}
