use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use diesel::connection::{Instrumentation, InstrumentationEvent};

use super::Server;
use crate::database::watch::Watcher;

/// What the statements of a connection have met, which nobody else may have taken notice of.
#[derive(Clone, Default)]
pub(super) struct Health(Arc<Flags>);

#[derive(Default)]
struct Flags {
    running: AtomicBool,
    cut_short: AtomicBool,
    conflict: AtomicBool,
    gone: AtomicBool,
}

impl Health {
    /// The instrumentation that notes it.
    pub(super) fn watching<C: Server>(&self) -> impl Instrumentation + use<C> {
        let health = self.clone();
        let mut watcher = Watcher::default();
        move |event: InstrumentationEvent<'_>| {
            match &event {
                InstrumentationEvent::StartQuery { .. } if health.0.running.swap(true, Ordering::Relaxed) => {
                    health.0.cut_short.store(C::LOSES_STEP, Ordering::Relaxed);
                }
                InstrumentationEvent::FinishQuery { error, .. } => {
                    health.0.running.store(false, Ordering::Relaxed);
                    if error.is_some_and(C::is_conflict) {
                        health.0.conflict.store(true, Ordering::Relaxed);
                    }
                    if error.is_some_and(C::is_gone) {
                        health.0.gone.store(true, Ordering::Relaxed);
                    }
                }
                _ => {}
            }
            watcher.on_connection_event(event);
        }
    }

    /// Whether a statement was dropped before its answer, where that leaves the connection of no more use.
    pub(super) fn is_cut_short<C: Server>(&self) -> bool {
        C::LOSES_STEP && (self.0.running.load(Ordering::Relaxed) || self.0.cut_short.load(Ordering::Relaxed))
    }

    /// Whether the server was not to be reached by it any more.
    pub(super) fn is_gone(&self) -> bool {
        self.0.gone.load(Ordering::Relaxed)
    }

    /// Whether somebody else's transaction was in the way since this was last asked.
    pub(super) fn take_conflict(&self) -> bool {
        self.0.conflict.swap(false, Ordering::Relaxed)
    }
}
