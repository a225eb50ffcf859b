//! The queries, behind traits: what services know of the database.

mod roles;
mod sort;
mod tokens;
mod users;

pub use roles::{DieselRoles, RoleRepository};
pub use sort::{RoleSort, UserSort};
pub use tokens::{DieselTokens, TokenOwner, TokenRepository};
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

/// A `LIKE` pattern for rows that contain the text, whose own wildcards count as text.
fn containing(search: &str) -> String {
    let mut pattern = String::from("%");
    for character in search.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}
