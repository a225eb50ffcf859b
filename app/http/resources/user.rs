use paravel::{serde::Serialize, support::Timestamp};

use crate::models::{UserId, UserWithRoles};

/// A user as clients see it.
#[derive(Debug, Serialize)]
pub struct UserResource {
    id: UserId,
    name: String,
    email: String,
    roles: Vec<String>,
    created_at: Timestamp,
    updated_at: Timestamp,
}

impl From<UserWithRoles> for UserResource {
    fn from(UserWithRoles { user, roles }: UserWithRoles) -> Self {
        Self {
            id: user.id,
            name: user.name,
            email: user.email,
            roles: roles.into_iter().map(|role| role.name).collect(),
            created_at: user.created_at,
            updated_at: user.updated_at,
        }
    }
}
