use std::{future::Future, sync::Arc};

use crate::container::{self, Ambient, Scope, enter};

/// Runs it apart from the scope of whoever asks: what the toolkit keeps for itself is no query of theirs, no write that their
/// next read has to see, and none of the transaction that is open there.
pub(crate) async fn apart<F: Future>(work: F) -> F::Output {
    match container::current() {
        Ok(app) => enter(Ambient::new(app.with_scope(Arc::new(Scope::new()))), work).await,
        Err(_) => work.await,
    }
}
