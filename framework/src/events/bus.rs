use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc};

use futures_util::future::FutureExt;

use super::{AnyEvent, Event, EventError, Failure, ListenerEntry, ListenerSource, Propagation};
use crate::{
    container::{self, ContainerError, GraphFault, Key, Root, panic_message},
    database::after_commit,
};

/// Carries events to their listeners.
#[derive(Default)]
pub struct EventBus {
    pub(super) listeners: HashMap<Key, Vec<ListenerEntry>>,
    /// Those of whatever event.
    pub(super) observers: Vec<ListenerEntry>,
    faults: Vec<GraphFault>,
    #[cfg(feature = "testing")]
    pub(super) faked: super::fake::Faked,
}

impl EventBus {
    /// A bus of the listeners registered in any linked crate, and these.
    pub fn collect(explicit: impl IntoIterator<Item = ListenerEntry>) -> Self {
        let mut bus = Self::default();
        for entry in ListenerSource::all().chain(explicit) {
            bus.add(entry);
        }
        // Iteration over what was registered has no order of its own.
        for entries in bus.listeners.values_mut().chain([&mut bus.observers]) {
            entries.sort_by(|one, other| other.priority.cmp(&one.priority).then_with(|| one.name.cmp(&other.name)));
        }
        bus.faults.sort_by_cached_key(ToString::to_string);
        bus
    }

    fn add(&mut self, entry: ListenerEntry) {
        let entries = match entry.hears {
            Some(event) => self.listeners.entry(event).or_default(),
            None => &mut self.observers,
        };
        if entries.iter().any(|known| known.name == entry.name) {
            let of = entry.hears.map_or_else(|| "all events".to_owned(), |event| format!("`{event}`"));
            let fault = format!("two listeners of {of} are called `{}`", entry.name);
            self.faults.push(GraphFault::DuplicateName(fault));
        }
        if let (Some(event), Some(pattern)) = (entry.hears, &entry.pattern) {
            let reason = format!("it hears `{event}` alone, so `{pattern}` means nothing; let it take `&AnyEvent`");
            self.faults.push(GraphFault::Listener { listener: entry.name.clone().into_owned(), reason });
        }
        entries.push(entry);
    }

    /// What is wrong with the listeners: a name that two of one event have, a pattern of one that hears a single type.
    pub fn faults(&self) -> Vec<GraphFault> {
        self.faults.clone()
    }

    /// What the listeners need, for verification.
    pub fn roots(&self) -> impl Iterator<Item = Root> {
        self.listeners.values().chain([&self.observers]).flatten().map(ListenerEntry::root)
    }

    /// Runs the event's listeners, one after the other: those of all events first, then its own, each in the order of
    /// priority and name. Inside a transaction they wait for its commit, and are not run if it is rolled back; an error of
    /// theirs is then logged, because the caller's work is done.
    ///
    /// # Errors
    /// [`EventError::Listeners`] with every listener that failed; the others have run.
    pub async fn dispatch<E: Event>(self: &Arc<Self>, event: E) -> Result<(), EventError> {
        if !self.reaches(Key::of::<E>()) {
            return Ok(());
        }
        let (bus, event) = (Arc::clone(self), AnyEvent::new(event));
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let run = async move {
            let result = bus.deliver(&event).await;
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

    /// Whether anything hears events of this type.
    pub(super) fn hears(&self, key: Key) -> bool {
        self.hearing(key).next().is_some()
    }

    /// What hears events of this type, in order.
    fn hearing(&self, key: Key) -> impl Iterator<Item = &ListenerEntry> {
        let observers = self.observers.iter().filter(move |entry| entry.hears(key));
        observers.chain(self.listeners.get(&key).into_iter().flatten())
    }

    fn reaches(&self, key: Key) -> bool {
        #[cfg(feature = "testing")]
        if self.fake_of(key).is_some() {
            return true;
        }
        self.hears(key)
    }

    async fn deliver(&self, event: &AnyEvent) -> Result<(), EventError> {
        #[cfg(feature = "testing")]
        if let Some(fake) = self.fake_of(event.key()) {
            fake.record(event);
            return Ok(());
        }
        self.run(event).await
    }

    pub(super) async fn run(&self, event: &AnyEvent) -> Result<(), EventError> {
        let container = container::current().map_err(ContainerError::from)?;
        let mut failures = Vec::new();
        for entry in self.hearing(event.key()) {
            let error = match AssertUnwindSafe(entry.call(event, &container)).catch_unwind().await {
                Ok(Ok(Propagation::Continue)) => continue,
                Ok(Ok(Propagation::Stop)) => break,
                Ok(Err(error)) => error,
                Err(panic) => format!("panicked: {}", panic_message(&*panic)).into(),
            };
            failures.push(Failure { listener: entry.name.clone().into_owned(), error });
        }
        if failures.is_empty() { Ok(()) } else { Err(EventError::Listeners { event: event.name(), failures }) }
    }
}
