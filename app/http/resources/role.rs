use paravel::{serde::Serialize, support::Timestamp};

use crate::models::{RoleId, RoleWithPermissions};

/// A role as clients see it.
#[derive(Debug, Serialize)]
pub struct RoleResource {
    id: RoleId,
    name: String,
    description: Option<String>,
    permissions: Vec<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<RoleWithPermissions> for RoleResource {
    fn from(RoleWithPermissions { role, permissions }: RoleWithPermissions) -> Self {
        Self {
            id: role.id,
            name: role.name,
            description: role.description,
            permissions,
            created_at: role.created_at,
            updated_at: role.updated_at,
        }
    }
}
