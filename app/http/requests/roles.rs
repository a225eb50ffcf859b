use garde::Validate;
use paravel::{serde::Deserialize, support::Patch};

use super::not_blank;
use crate::services::{NewRole, RoleChange};

/// `POST /api/v1/roles`
#[derive(Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateRole {
    /// Its name.
    #[garde(length(chars, max = 100), custom(not_blank))]
    pub name: String,
    /// What it is for.
    #[garde(inner(length(chars, max = 500)))]
    #[serde(default)]
    pub description: Option<String>,
    /// The names of its permissions.
    #[garde(length(max = 100), inner(length(chars, min = 1, max = 100)))]
    #[serde(default)]
    pub permissions: Vec<String>,
}

impl From<&CreateRole> for NewRole {
    fn from(request: &CreateRole) -> Self {
        Self {
            name: request.name.clone(),
            description: request.description.clone(),
            permissions: request.permissions.clone(),
        }
    }
}

/// `PATCH /api/v1/roles/{id}`
#[derive(Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct UpdateRole {
    /// Its name.
    #[garde(inner(length(chars, max = 100), custom(not_blank)))]
    #[serde(default)]
    pub name: Patch<String>,
    /// What it is for; null takes it away.
    #[garde(inner(inner(length(chars, max = 500))))]
    #[serde(default)]
    pub description: Patch<Option<String>>,
    /// The names of its permissions.
    #[garde(inner(length(max = 100), inner(length(chars, min = 1, max = 100))))]
    #[serde(default)]
    pub permissions: Patch<Vec<String>>,
}

impl From<&UpdateRole> for RoleChange {
    fn from(request: &UpdateRole) -> Self {
        Self {
            name: request.name.clone(),
            description: request.description.clone(),
            permissions: request.permissions.clone(),
        }
    }
}
