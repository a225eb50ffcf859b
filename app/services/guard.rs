use std::{sync::Arc, time::Duration};

use paravel::{
    Inject, async_trait,
    auth::{Actor, TokenGuard, TokenHash},
    support::{BoxError, Clock},
    tracing,
};

use crate::repositories::TokenRepository;

/// How exact a token's last use is: more would be a write for each request.
const LAST_USE: Duration = Duration::from_secs(60);

/// Finds out whose a bearer token is.
#[derive(Inject)]
#[inject(as = dyn TokenGuard)]
pub struct AppTokenGuard {
    tokens: Arc<dyn TokenRepository>,
    clock: Arc<dyn Clock>,
}

#[async_trait]
impl TokenGuard for AppTokenGuard {
    async fn actor(&self, token: &TokenHash) -> Result<Option<Actor>, BoxError> {
        let now = self.clock.now();
        let Some(owner) = self.tokens.owner(token).await?.filter(|owner| owner.expires_at > now) else {
            return Ok(None);
        };
        // A user who was deleted has none, and with that no valid token.
        let Some(permissions) = self.tokens.permissions(owner.user).await? else { return Ok(None) };
        if owner.last_used_at.is_none_or(|last| last.plus(LAST_USE) <= now) {
            // It is told to people. Nobody is to be kept from reading where nothing can be written.
            if let Err(error) = self.tokens.touch(token, now).await {
                tracing::warn!(%error, token = %owner.token, "a token's last use could not be noted");
            }
        }
        Ok(Some(Actor { id: owner.user.uuid(), permissions, token: Some(token.clone()) }))
    }
}
