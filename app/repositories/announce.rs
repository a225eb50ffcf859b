use std::sync::Arc;

use paravel::{
    events::{Event, EventBus},
    tracing,
};

use crate::models::UserId;

/// Says what has happened to a user. In the transaction that does it, it waits for the commit, and is then heard although the
/// caller may be gone.
pub(super) async fn announce<E: Event>(events: &Arc<EventBus>, user: UserId, event: E) {
    // That nobody hears of it is no reason to undo it.
    if let Err(error) = events.dispatch(event).await {
        tracing::error!(%error, %user, "a user has changed, but nobody will hear of it");
    }
}
