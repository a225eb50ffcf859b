use garde::Validate;
use paravel::{
    auth::acceptable_password,
    mail::acceptable_address,
    serde::Deserialize,
    support::{Patch, Secret},
};

use super::not_blank;
use crate::services::{NewUser, UserChange};

/// `POST /api/v1/users`, and `POST /api/v1/auth/register`
#[derive(Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct CreateUser {
    /// What to call them.
    #[garde(length(chars, max = 100), custom(not_blank))]
    pub name: String,
    /// Their e-mail address.
    #[garde(custom(acceptable_address))]
    pub email: String,
    /// Their password.
    #[garde(custom(acceptable_password))]
    pub password: String,
}

impl From<&CreateUser> for NewUser {
    fn from(request: &CreateUser) -> Self {
        Self {
            name: request.name.clone(),
            email: request.email.clone(),
            password: Secret::new(request.password.clone()),
            roles: Vec::new(),
        }
    }
}

/// `PATCH /api/v1/users/{id}`
#[derive(Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct UpdateUser {
    /// What to call them.
    #[garde(inner(length(chars, max = 100), custom(not_blank)))]
    #[serde(default)]
    pub name: Patch<String>,
    /// Their e-mail address.
    #[garde(inner(custom(acceptable_address)))]
    #[serde(default)]
    pub email: Patch<String>,
    /// Their password.
    #[garde(inner(custom(acceptable_password)))]
    #[serde(default)]
    pub password: Patch<String>,
}

impl From<&UpdateUser> for UserChange {
    fn from(request: &UpdateUser) -> Self {
        Self {
            name: request.name.clone(),
            email: request.email.clone(),
            password: request.password.clone().map(Secret::new),
        }
    }
}

/// `PUT /api/v1/users/{id}/roles`
#[derive(Deserialize, Validate)]
#[serde(deny_unknown_fields)]
pub struct AssignRoles {
    /// The names of the roles; none takes all away.
    #[garde(length(max = 100), inner(length(chars, min = 1, max = 100)))]
    pub roles: Vec<String>,
}
