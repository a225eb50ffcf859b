use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc};

use futures_util::future::FutureExt;
use parking_lot::RwLock;

use super::{AnyEvent, Event, EventError, Failure, ListenerEntry, ListenerSource, Propagation, under_way::UnderWay};
use crate::{
    container::{self, ContainerError, GraphFault, Key, Root, panic_message},
    database::{after_commit, in_transaction},
};

type Hearing = Arc<[ListenerEntry]>;

/// Carries events to their listeners.
#[derive(Default)]
pub struct EventBus {
    pub(super) listeners: HashMap<Key, Vec<ListenerEntry>>,
    /// Those of whatever event.
    pub(super) observers: Vec<ListenerEntry>,
    faults: Vec<GraphFault>,
    /// What hears each type of event that there has been: patterns are matched once for it.
    hearing: RwLock<HashMap<Key, Hearing>>,
    /// Signals that are being heard.
    pub(super) carried: UnderWay,
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
            let fault = format!(
                "two listeners of {of} are called `{}`: name one of them, by `name = \"..\"` or `.named(..)`",
                entry.name
            );
            self.faults.push(GraphFault::DuplicateName(fault));
        }
        if let (Some(event), Some(pattern)) = (entry.hears, &entry.pattern) {
            let reason = format!("it hears `{event}` alone, so `{pattern}` means nothing; let it take `&AnyEvent`");
            self.faults.push(GraphFault::Listener { listener: entry.name.clone().into_owned(), reason });
        }
        if entry.queued.is_some() && entry.hears.is_none() {
            let reason = "it hears events of all types, which cannot wait in a queue: let it dispatch a job".to_owned();
            self.faults.push(GraphFault::Listener { listener: entry.name.clone().into_owned(), reason });
        }
        if entry.queued.is_some() && entry.is_nameless {
            let reason = "it is queued, and its jobs are found by its name, which is the place of a closure: give it one that stays by \
                          `.named(..)`"
                .to_owned();
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
    /// priority and name. All are run, although the caller goes away. Inside a transaction they wait for its commit, and are not
    /// run if it is rolled back. Where nobody waits for them any more, an error of theirs is logged.
    ///
    /// # Errors
    /// [`EventError::Listeners`] with every listener that failed; the others have run.
    pub async fn dispatch<E: Event>(self: &Arc<Self>, event: E) -> Result<(), EventError> {
        if !self.reaches(Key::of::<E>()) {
            return Ok(());
        }
        let (bus, event) = (Arc::clone(self), AnyEvent::new(event));
        // What is queued is a part of the transaction: it is not lost between the commit and what follows it.
        let pushed = in_transaction();
        let queued = if pushed { self.push(&event).await } else { Ok(()) };
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let run = async move {
            let result = bus.deliver(&event, !pushed).await;
            // A transaction's closure goes on before its commit, and hears no more of this; nor does a caller that is gone.
            if let Err(Err(error)) = sender.send(result) {
                tracing::error!(error = %error, "an event met an error that nobody waits for");
            }
        };
        let waits = after_commit(run).await.map_err(ContainerError::from)?;
        if waits {
            // What could not be queued keeps the event from nobody else.
            return queued;
        }
        receiver.await.unwrap_or(Ok(()))
    }

    /// Waits until the signals that were raised have been heard: their listeners run by themselves, and would be cut off by the end of
    /// the process.
    pub async fn settled(&self) {
        self.carried.over().await;
    }

    /// Whether anything hears events of this type.
    pub(super) fn hears(&self, key: Key) -> bool {
        !self.hearing(key).is_empty()
    }

    /// What hears events of this type, in order.
    fn hearing(&self, key: Key) -> Hearing {
        if let Some(known) = self.hearing.read().get(&key) {
            return Arc::clone(known);
        }
        let observers = self.observers.iter().filter(|entry| entry.hears(key));
        let hearing: Hearing = observers.chain(self.listeners.get(&key).into_iter().flatten()).cloned().collect();
        self.hearing.write().insert(key, Arc::clone(&hearing));
        hearing
    }

    fn reaches(&self, key: Key) -> bool {
        #[cfg(feature = "testing")]
        if self.fake_of(key).is_some() {
            return true;
        }
        self.hears(key)
    }

    /// Queues the event's queued listeners.
    async fn push(&self, event: &AnyEvent) -> Result<(), EventError> {
        #[cfg(feature = "testing")]
        if self.fake_of(event.key()).is_some() {
            return Ok(());
        }
        let mut failures = Vec::new();
        for entry in self.hearing(event.key()).iter() {
            let Some(options) = &entry.queued else { continue };
            if let Err(error) = Box::pin(entry.push(event, options)).await {
                failures.push(Failure { listener: entry.name.clone().into_owned(), error });
            }
        }
        failed(event, failures)
    }

    async fn deliver(&self, event: &AnyEvent, queues: bool) -> Result<(), EventError> {
        #[cfg(feature = "testing")]
        if let Some(fake) = self.fake_of(event.key()) {
            fake.record(event);
            return Ok(());
        }
        self.run(event, queues).await
    }

    /// Runs the event's listeners, and queues those that are queued where that has not been done.
    pub(super) async fn run(&self, event: &AnyEvent, queues: bool) -> Result<(), EventError> {
        let container = container::current().map_err(ContainerError::from)?;
        let mut failures = Vec::new();
        for entry in self.hearing(event.key()).iter() {
            let call = async {
                match &entry.queued {
                    Some(options) if queues => {
                        Box::pin(entry.push(event, options)).await.map(|()| Propagation::Continue)
                    }
                    Some(_) => Ok(Propagation::Continue),
                    None => entry.call(event, &container).await,
                }
            };
            let error = match AssertUnwindSafe(call).catch_unwind().await {
                Ok(Ok(Propagation::Continue)) => continue,
                Ok(Ok(Propagation::Stop)) => break,
                Ok(Err(error)) => error,
                Err(panic) => format!("panicked: {}", panic_message(&*panic)).into(),
            };
            failures.push(Failure { listener: entry.name.clone().into_owned(), error });
        }
        failed(event, failures)
    }
}

fn failed(event: &AnyEvent, failures: Vec<Failure>) -> Result<(), EventError> {
    if failures.is_empty() { Ok(()) } else { Err(EventError::Listeners { event: event.name(), failures }) }
}
