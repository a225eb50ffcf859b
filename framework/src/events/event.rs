use std::fmt;

use serde::{Serialize, de::DeserializeOwned};

use super::{listener::Revive, queued};
use crate::{
    container::Key,
    support::{Signal, short_name},
};

/// Something that has happened: any serde struct. Its name is that of its type without paths, `UserRegistered`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    note = "an event is a plain struct that derives `serde::Serialize` and `serde::Deserialize`"
)]
pub trait Event: Serialize + DeserializeOwned + Send + Sync + 'static {}

// Else the compiler tells of serde alone, and not why it is wanted.
#[diagnostic::do_not_recommend]
impl<E: Serialize + DeserializeOwned + Send + Sync + 'static> Event for E {}

/// An event of whatever type, as a listener of all events hears it. Cheap to clone.
///
/// ```
/// use paravel::events::AnyEvent;
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct ShipSailed {
///     name: String,
/// }
///
/// let event = AnyEvent::new(ShipSailed { name: "Dawn Treader".to_owned() });
/// assert_eq!(event.name(), "ShipSailed");
/// assert_eq!(event.json()?["name"], "Dawn Treader");
/// assert_eq!(event.downcast_ref::<ShipSailed>().map(|sailed| sailed.name.len()), Some(12));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone)]
pub struct AnyEvent(Signal);

impl AnyEvent {
    /// This event without its type.
    pub fn new<E: Event>(event: E) -> Self {
        Self(Signal::new(event))
    }

    /// What a lower layer has raised, as the event that it is.
    pub(super) fn carried(signal: Signal) -> Self {
        Self(signal)
    }

    /// Its name: that of its type without paths.
    pub fn name(&self) -> String {
        short_name(self.type_name())
    }

    /// The name of its type with its paths.
    pub fn type_name(&self) -> &'static str {
        self.0.of().1
    }

    /// The event, where it is an `E`.
    pub fn downcast_ref<E: Event>(&self) -> Option<&E> {
        self.0.value().downcast_ref()
    }

    /// What it says, as JSON.
    ///
    /// # Errors
    /// Where JSON cannot say it: a map whose keys are no texts, for one.
    pub fn json(&self) -> serde_json::Result<serde_json::Value> {
        self.0.json()
    }

    pub(super) fn key(&self) -> Key {
        let (id, name) = self.0.of();
        Key::erased(id, name)
    }
}

// Without what it says, which may be for nobody's log.
impl fmt::Debug for AnyEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AnyEvent").field(&self.type_name()).finish()
    }
}

/// What a listener may hear: one type of event, or by [`AnyEvent`] all of them.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event, so nothing can listen to it",
    note = "an event is a plain struct that derives `serde::Serialize` and `serde::Deserialize`; `AnyEvent` is any of them"
)]
pub trait Heard: Send + Sync + 'static {
    /// Makes one of the JSON that it was stored as, where it is of one type.
    #[doc(hidden)]
    const REVIVE: Option<Revive>;

    /// The one type, where it is one.
    fn key() -> Option<Key>;

    /// The event as a listener is given it; `None` where it is of another type.
    fn of(event: &AnyEvent) -> Option<&Self>;
}

#[diagnostic::do_not_recommend]
impl<E: Event> Heard for E {
    const REVIVE: Option<Revive> = Some(queued::revive::<E>);

    fn key() -> Option<Key> {
        Some(Key::of::<E>())
    }

    fn of(event: &AnyEvent) -> Option<&Self> {
        event.downcast_ref()
    }
}

impl Heard for AnyEvent {
    const REVIVE: Option<Revive> = None;

    fn key() -> Option<Key> {
        None
    }

    fn of(event: &AnyEvent) -> Option<&Self> {
        Some(event)
    }
}
