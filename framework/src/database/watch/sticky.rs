use std::sync::atomic::{AtomicBool, Ordering};

use crate::container::with_current;

/// Whether this request, job or command has written: from then on its reads should see what it wrote, which a
/// replica may not have yet. Lives in its scope.
#[derive(Debug, Default)]
pub struct StickyReads(AtomicBool);

impl StickyReads {
    /// Whether something was written in the scope that is in force here.
    pub fn in_force() -> bool {
        let marked = |app: &crate::container::Container| {
            let mark = app.current_scope().and_then(|scope| scope.get::<Self>());
            mark.is_some_and(|mark| mark.0.load(Ordering::Acquire))
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
