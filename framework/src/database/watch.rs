use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use diesel::connection::{Instrumentation, InstrumentationEvent};

use super::after_commit;
use crate::container::with_current;

/// Counts the queries of one request, job or command; lives in its scope.
#[derive(Debug, Default)]
pub struct QueryWatch(AtomicUsize);

impl QueryWatch {
    /// How many queries have run. Those that begin and end transactions do not count.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// Tells connections' queries to the watch of the scope that runs them, and their savepoints to its after-commit buffer.
#[derive(Default)]
pub(super) struct Watcher {
    // A transaction's own statements are announced just before they run.
    skip: bool,
}

impl Instrumentation for Watcher {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::BeginTransaction { depth, .. } => {
                self.skip = true;
                after_commit::begins(depth);
            }
            InstrumentationEvent::RollbackTransaction { depth, .. } => {
                self.skip = true;
                after_commit::rolls_back(depth);
            }
            InstrumentationEvent::CommitTransaction { .. } => self.skip = true,
            InstrumentationEvent::StartQuery { .. } if std::mem::take(&mut self.skip) => {}
            InstrumentationEvent::StartQuery { .. } => {
                // Outside any application there is nobody to tell.
                let _ = with_current(|app| {
                    if let Some(scope) = app.current_scope() {
                        scope.get_or_set(QueryWatch::default).0.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
            _ => {}
        }
    }
}

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

    pub(super) fn mark() {
        // Outside any application there is no request whose later reads could be concerned.
        let _ = with_current(|app| {
            if let Some(scope) = app.current_scope() {
                scope.get_or_set(Self::default).0.store(true, Ordering::Release);
            }
        });
    }
}
