use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::container::{Ambient, Scope, enter, with_current};

/// Whether this request, job or command has written: from then on its reads should see what it wrote, which a
/// replica may not have yet. Lives in its scope.
#[derive(Debug, Default)]
pub struct StickyReads(AtomicBool);

impl StickyReads {
    /// Whether something was written in the scope that is in force here, or the latest is wanted ([`from_primary`]).
    pub fn in_force() -> bool {
        let marked = |app: &crate::container::Container| {
            let Some(scope) = app.current_scope() else { return false };
            scope.get::<Self>().is_some_and(|mark| mark.0.load(Ordering::Acquire)) || scope.get::<Latest>().is_some()
        };
        with_current(marked).unwrap_or(false)
    }

    /// Makes it so, for what must not see less than others have written.
    pub(crate) fn mark() {
        // Outside any application there is no request whose later reads could be concerned.
        let _ = with_current(|app| {
            if let Some(scope) = app.current_scope() {
                scope.get_or_set(Self::default).0.store(true, Ordering::Release);
            }
        });
    }
}

/// That the latest is wanted, whoever has written it.
struct Latest;

/// That reads go to the primary: a job may be about what was committed just before it began. What is kept in a cache may answer them
/// still, since it is dropped when it changes.
pub(crate) struct FromPrimary;

impl FromPrimary {
    /// Whether reads go there in the scope that is in force here.
    pub(crate) fn in_force() -> bool {
        let marked = |app: &crate::container::Container| app.current_scope()?.get::<Self>().map(|_| ());
        with_current(marked).ok().flatten().is_some()
    }
}

/// Runs a future whose reads go to the primary. What is kept for longer must be read so: a replica may not have yet what an
/// earlier value was dropped for.
pub async fn from_primary<F: Future>(future: F) -> F::Output {
    let Some(ambient) = Ambient::capture() else { return future.await };
    let scope = ambient.container().current_scope().map_or_else(Scope::new, Scope::child);
    scope.set(Latest);
    enter(Ambient::new(ambient.container().with_scope(Arc::new(scope))), future).await
}
