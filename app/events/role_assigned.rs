use paravel::serde::{Deserialize, Serialize};

use crate::models::UserId;

/// A user has been given these roles in place of those they had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleAssigned {
    /// Who.
    pub user: UserId,
    /// The names of all the roles that they have now.
    pub roles: Vec<String>,
}
