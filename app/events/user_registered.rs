use paravel::serde::{Deserialize, Serialize};

use crate::models::UserId;

/// Somebody has registered, or was created by somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserRegistered {
    /// Who.
    pub user: UserId,
    /// Their name.
    pub name: String,
    /// Who created them, where it was not themselves.
    #[serde(default)]
    pub by: Option<UserId>,
}
