//! The queries, behind traits: what services know of the database.

mod announce;
mod managers;
mod roles;
mod sort;
mod stale;
mod tokens;
mod undone;
mod users;

pub use roles::{DieselRoles, RoleRepository};
pub use sort::{RoleSort, UserSort};
pub use tokens::{DieselTokens, TokenOwner, TokenRepository};
pub use undone::Undone;
pub use users::{DieselUsers, UserRepository};

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
