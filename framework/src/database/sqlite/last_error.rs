use std::sync::Arc;

use diesel::connection::{Instrumentation, InstrumentationEvent};
use parking_lot::Mutex;

/// What the last statement that failed on a connection met.
///
/// The writer needs it where SQLite has ended a transaction by itself: all that it sees then is that its savepoint
/// is gone, and the reason went to whoever ran the statement.
#[derive(Clone, Default)]
pub(super) struct LastError(Arc<Mutex<Option<String>>>);

impl LastError {
    pub(super) fn take(&self) -> Option<String> {
        self.0.lock().take()
    }

    /// Another instrumentation that also notes errors here.
    pub(super) fn and<I: Instrumentation>(&self, inner: I) -> impl Instrumentation + use<I> {
        let last = self.clone();
        let mut inner = inner;
        move |event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::FinishQuery { error: Some(error), .. } = &event {
                *last.0.lock() = Some(error.to_string());
            }
            inner.on_connection_event(event);
        }
    }
}
