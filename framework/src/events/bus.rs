use std::{any::Any, collections::HashMap, fmt, panic::AssertUnwindSafe, sync::Arc};

use futures_util::future::FutureExt;

use super::{Event, ListenerEntry};
use crate::{
    container::{self, ContainerError, GraphFault, Key, Root, panic_message},
    database::after_commit,
    support::BoxError,
};

/// Carries events to their listeners.
#[derive(Default)]
pub struct EventBus {
    listeners: HashMap<Key, Vec<ListenerEntry>>,
    duplicates: Vec<&'static str>,
}

/// An event did not reach all its listeners.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// There is no application to dispatch it in.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// Listeners failed; the others have run all the same.
    #[error("{} of the listeners of `{event}` failed: {}", failures.len(), failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Listeners {
        /// The event's type.
        event: String,
        /// Each listener that failed, in the order in which they ran.
        failures: Vec<Failure>,
    },
}

/// A listener that failed.
#[derive(Debug)]
pub struct Failure {
    /// The listener's name.
    pub listener: &'static str,
    /// What it returned, or that it panicked.
    pub error: BoxError,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.listener, self.error)
    }
}

impl EventBus {
    /// A bus of the listeners registered in any linked crate, and these.
    pub fn collect(explicit: impl IntoIterator<Item = ListenerEntry>) -> Self {
        let registered = inventory::iter::<ListenerEntry>.into_iter().copied();
        let mut bus = Self::default();
        for entry in registered.chain(explicit) {
            let listeners = bus.listeners.entry((entry.event)()).or_default();
            if listeners.iter().any(|known| known.name == entry.name) {
                bus.duplicates.push(entry.name);
            }
            listeners.push(entry);
        }
        // Iteration over what was registered has no order of its own.
        for listeners in bus.listeners.values_mut() {
            listeners.sort_by_key(|entry| (-i64::from(entry.priority), entry.name));
        }
        bus.duplicates.sort_unstable();
        bus
    }

    /// A fault for each name that two listeners of one event have.
    pub fn faults(&self) -> Vec<GraphFault> {
        let faults = self.duplicates.iter();
        faults.map(|name| GraphFault::DuplicateName(format!("two listeners are called `{name}`"))).collect()
    }

    /// What the listeners need, for verification.
    pub fn roots(&self) -> impl Iterator<Item = Root> {
        self.listeners.values().flatten().map(ListenerEntry::root)
    }

    /// Runs the event's listeners, one after the other. Inside a transaction they wait for its commit, and are not
    /// run if it is rolled back; an error of theirs is then logged, because the caller's work is done.
    ///
    /// # Errors
    /// [`EventError::Listeners`] with every listener that failed; the others have run.
    pub async fn dispatch<E: Event>(self: &Arc<Self>, event: E) -> Result<(), EventError> {
        if !self.hears(Key::of::<E>()) {
            return Ok(());
        }
        let bus = Arc::clone(self);
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let run = async move {
            let result = bus.run(&event, Key::of::<E>()).await;
            // A transaction's closure goes on before its commit, and hears no more of this.
            if let Err(Err(error)) = sender.send(result) {
                tracing::error!(error = %error, "an event dispatched in a transaction met an error after the commit");
            }
        };
        let waits = after_commit(run).await.map_err(ContainerError::from)?;
        if waits {
            return Ok(());
        }
        receiver.await.unwrap_or(Ok(()))
    }

    pub(super) fn hears(&self, key: Key) -> bool {
        self.listeners.contains_key(&key)
    }

    pub(super) async fn run(&self, event: &(dyn Any + Send + Sync), key: Key) -> Result<(), EventError> {
        let container = container::current().map_err(ContainerError::from)?;
        let mut failures = Vec::new();
        for entry in self.listeners.get(&key).map(Vec::as_slice).unwrap_or_default() {
            let call = AssertUnwindSafe((entry.call)(event, container.clone())).catch_unwind().await;
            let error = match call {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => error,
                Err(panic) => format!("panicked: {}", panic_message(&*panic)).into(),
            };
            failures.push(Failure { listener: entry.name, error });
        }
        if failures.is_empty() { Ok(()) } else { Err(EventError::Listeners { event: key.to_string(), failures }) }
    }
}
