use std::collections::BTreeSet;

use async_trait::async_trait;
use uuid::Uuid;

use super::TokenHash;
use crate::support::BoxError;

/// Who acts in a request, job or command; lives in its scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The key of whoever acts.
    pub id: Uuid,
    /// What they may do, by name.
    pub permissions: BTreeSet<String>,
    /// The token they came with, where they came with one.
    pub token: Option<TokenHash>,
}

impl Actor {
    /// Whether they have this permission.
    pub fn can(&self, permission: &str) -> bool {
        self.permissions.contains(permission)
    }
}

/// Finds out whose a bearer token is. The application binds one.
#[async_trait]
pub trait TokenGuard: Send + Sync {
    /// Whose token this is; `None` where it is unknown, expired or revoked.
    ///
    /// # Errors
    /// The application's own. What the database or Redis failed with belongs in the box as it is: where they cannot be reached the
    /// answer is a 503, and a 500 otherwise.
    async fn actor(&self, token: &TokenHash) -> Result<Option<Actor>, BoxError>;
}
