use paravel::serde::{Deserialize, Serialize};

use crate::models::UserId;

/// A user's own data have been changed. What roles they have is told by [`RoleAssigned`](super::RoleAssigned).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserUpdated {
    /// Who.
    pub user: UserId,
    /// What was given anew, whether or not it was the same before.
    pub fields: Vec<UserField>,
}

/// What can be changed of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UserField {
    /// Their name.
    Name,
    /// Their e-mail address.
    Email,
    /// Their password.
    Password,
}
