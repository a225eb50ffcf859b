//! Which loads a task is inside of, so that a loader which would wait for itself is told from one that waits for another.
//!
//! A loader that starts a task of its own and waits for that is not seen through.

use std::{future::Future, sync::Arc};

use super::flight::Flight;

tokio::task_local! {
    static INSIDE: Arc<Inside>;
}

/// A load whose loader runs, and the one that it runs inside of.
struct Inside {
    flight: Arc<Flight>,
    outer: Option<Arc<Inside>>,
}

/// Whether this task is inside of a loader.
pub(super) fn a_load() -> bool {
    INSIDE.try_with(|_| ()).is_ok()
}

/// Runs a flight's loader.
pub(super) fn enter<F: Future>(flight: &Arc<Flight>, load: F) -> impl Future<Output = F::Output> {
    let outer = INSIDE.try_with(Arc::clone).ok();
    INSIDE.scope(Arc::new(Inside { flight: Arc::clone(flight), outer }), load)
}

/// That this task's loaders wait for a flight, until it is dropped.
pub(super) struct Waiting {
    loads: Vec<Arc<Flight>>,
    flight: Arc<Flight>,
}

impl Waiting {
    /// Notes that they do; `None` where the flight waits for one of them, so that they would wait for ever.
    pub(super) fn for_flight(flight: &Arc<Flight>) -> Option<Self> {
        let mut waiting = Self { loads: Vec::new(), flight: Arc::clone(flight) };
        let mut inside = INSIDE.try_with(Arc::clone).ok();
        while let Some(load) = inside {
            // Noted before it is looked: of two that begin to wait for each other at once, one sees the other.
            load.flight.waits_for.lock().push(Arc::clone(flight));
            waiting.loads.push(Arc::clone(&load.flight));
            inside = load.outer.clone();
        }
        (!waiting.is_a_circle()).then_some(waiting)
    }

    fn is_a_circle(&self) -> bool {
        let (mut seen, mut next) = (Vec::new(), vec![Arc::clone(&self.flight)]);
        while let Some(flight) = next.pop() {
            if self.loads.iter().any(|load| Arc::ptr_eq(load, &flight)) {
                return true;
            }
            if !seen.iter().any(|seen| Arc::ptr_eq(seen, &flight)) && !self.loads.is_empty() {
                next.extend(flight.waits_for.lock().iter().cloned());
                seen.push(flight);
            }
        }
        false
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        for load in &self.loads {
            let mut waits_for = load.waits_for.lock();
            if let Some(index) = waits_for.iter().position(|flight| Arc::ptr_eq(flight, &self.flight)) {
                waits_for.swap_remove(index);
            }
        }
    }
}
