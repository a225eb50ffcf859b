use paravel::serde::{Deserialize, Serialize};

use crate::models::UserId;

/// A user has been deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserDeleted {
    /// Whose key it was.
    pub user: UserId,
}
