use paravel::{auth::TokenHash, cache::Cache, tracing};

use super::TokenRepository;
use crate::{models::Email, services::UserService};

/// Lets the user of this e-mail address be found by it no more in the cache, once the transaction is committed.
pub(super) async fn by_email(cache: &Cache, email: &Email) {
    invalidate(cache, <dyn UserService>::cached_find_by_email(email).tags).await;
}

/// Lets the owners of these tokens be found no more in the cache, once the transaction is committed.
pub(super) async fn owners(cache: &Cache, tokens: &[TokenHash]) {
    let tags = tokens.iter().flat_map(|token| <dyn TokenRepository>::cached_owner(token).tags);
    invalidate(cache, tags.collect()).await;
}

async fn invalidate(cache: &Cache, tags: Vec<String>) {
    // A cache that fails is no reason to undo what is right in the database.
    if let Err(error) = cache.invalidate(tags).await {
        tracing::error!(%error, "what is cached of a user may be old until its time is over");
    }
}
