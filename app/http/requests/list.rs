use garde::Validate;
use paravel::{database::PageRequest, serde::Deserialize};

use crate::repositories::{RoleSort, UserSort};

/// Rows on a page where nothing else is asked for: as many as fit a screen.
pub const ROWS: u32 = 20;

/// Rows on a page at most.
pub const MOST_ROWS: u32 = 100;

/// The query of a list: `GET /api/v1/users?page=2&per_page=50&sort=-name&search=ada`.
#[derive(Deserialize, Validate)]
pub struct List<S> {
    /// The page, from 1.
    #[garde(range(min = 1))]
    #[serde(default = "first_page")]
    pub page: u32,
    /// Rows on a page.
    #[garde(range(min = 1, max = MOST_ROWS))]
    #[serde(default = "rows")]
    pub per_page: u32,
    /// In which order: one of those that `S` has.
    #[garde(skip)]
    #[serde(default)]
    pub sort: S,
    /// Those with this text in what names them.
    #[garde(length(chars, max = 100))]
    #[serde(default)]
    pub search: String,
}

/// `GET /api/v1/users`
pub type ListUsers = List<UserSort>;

/// `GET /api/v1/roles`
pub type ListRoles = List<RoleSort>;

impl<S> List<S> {
    /// Which page.
    pub fn page(&self) -> PageRequest {
        PageRequest { page: self.page, per_page: self.per_page }
    }
}

fn first_page() -> u32 {
    1
}

fn rows() -> u32 {
    ROWS
}
