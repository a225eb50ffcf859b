use garde::Validate;
use paravel::{database::PageRequest, serde::Deserialize};

use crate::repositories::{RoleSort, UserSort};

/// `GET /api/v1/users`
#[derive(Deserialize, Validate)]
pub struct ListUsers {
    /// The page, from 1.
    #[garde(range(min = 1))]
    #[serde(default = "first_page")]
    pub page: u32,
    /// Rows on a page.
    #[garde(range(min = 1, max = 100))]
    #[serde(default = "rows")]
    pub per_page: u32,
    /// In which order.
    #[garde(skip)]
    #[serde(default)]
    pub sort: UserSort,
    /// Those with this text in their name or e-mail address.
    #[garde(length(chars, max = 100))]
    #[serde(default)]
    pub search: String,
}

impl ListUsers {
    /// Which page.
    pub fn page(&self) -> PageRequest {
        PageRequest { page: self.page, per_page: self.per_page }
    }
}

/// `GET /api/v1/roles`
#[derive(Deserialize, Validate)]
pub struct ListRoles {
    /// The page, from 1.
    #[garde(range(min = 1))]
    #[serde(default = "first_page")]
    pub page: u32,
    /// Rows on a page.
    #[garde(range(min = 1, max = 100))]
    #[serde(default = "rows")]
    pub per_page: u32,
    /// In which order.
    #[garde(skip)]
    #[serde(default)]
    pub sort: RoleSort,
    /// Those with this text in their name.
    #[garde(length(chars, max = 100))]
    #[serde(default)]
    pub search: String,
}

impl ListRoles {
    /// Which page.
    pub fn page(&self) -> PageRequest {
        PageRequest { page: self.page, per_page: self.per_page }
    }
}

fn first_page() -> u32 {
    1
}

/// As many as fit a screen.
fn rows() -> u32 {
    20
}
