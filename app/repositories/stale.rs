use paravel::{auth::TokenHash, cache::Cache};

use super::TokenRepository;
use crate::{models::Email, services::UserService};

/// Lets the user of this e-mail address be found by it no more in the cache, once the transaction is committed.
pub(super) async fn by_email(cache: &Cache, email: &Email) {
    cache.invalidate_on_commit(<dyn UserService>::cached_find_by_email(email).tags).await;
}

/// Lets the owners of these tokens be found no more in the cache, once the transaction is committed.
pub(super) async fn owners(cache: &Cache, tokens: &[TokenHash]) {
    let tags = tokens.iter().flat_map(|token| <dyn TokenRepository>::cached_owner(token).tags);
    cache.invalidate_on_commit(tags).await;
}
