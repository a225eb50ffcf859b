use std::{any::type_name, marker::PhantomData, panic::Location};

use super::{Heard, ListenerEntry, ListenerMethod, ListenerOutput, listener::name_of};
use crate::container::{Injectable, Resolver};

/// A type of which several methods listen. Like a [`Listener`](super::Listener), it is made for each event of its dependencies.
///
/// ```
/// use paravel::{Inject, events::{AnyEvent, Subscriber, Subscriptions}, listener};
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct ShipSailed;
///
/// #[derive(Inject)]
/// struct Harbour;
///
/// impl Harbour {
///     async fn farewell(&self, event: &ShipSailed) {}
///
///     async fn note(&self, event: &AnyEvent) {}
/// }
///
/// #[listener]
/// impl Subscriber for Harbour {
///     fn subscribe(events: &mut Subscriptions<Self>) {
///         events.listen(Self::farewell).priority(5);
///         events.listen(Self::note).matching("Ship*");
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a subscriber",
    note = "derive `Inject` for it and implement `paravel::events::Subscriber`"
)]
pub trait Subscriber: Injectable + Send + Sync + 'static {
    /// Names the methods that listen.
    fn subscribe(events: &mut Subscriptions<Self>);
}

/// The methods of a [`Subscriber`] that listen.
pub struct Subscriptions<S> {
    entries: Vec<ListenerEntry>,
    subscriber: PhantomData<fn() -> S>,
}

impl<S: Subscriber> Subscriptions<S> {
    /// Adds a method, which takes `&self` and an event.
    #[track_caller]
    pub fn listen<E, Method>(&mut self, method: Method) -> Subscription<'_>
    where
        E: Heard,
        Method: for<'e> ListenerMethod<'e, S, E> + Clone + Send + Sync + 'static,
    {
        let name = name_of::<Method>(Location::caller());
        let mut entry = ListenerEntry::new::<E>(name, S::dependencies(), move |event, app| {
            let method = method.clone();
            Box::pin(async move {
                let subscriber = S::make(&Resolver::new(app))?;
                method.call(&subscriber, event).await.into_result()
            })
        });
        entry.subscriber = Some(type_name::<S>());
        Subscription(self.entries.push_mut(entry))
    }
}

/// One method of a subscriber, of which more can be said.
pub struct Subscription<'a>(&'a mut ListenerEntry);

impl Subscription<'_> {
    /// [`ListenerEntry::priority`].
    pub fn priority(self, priority: i32) -> Self {
        self.0.priority = priority;
        self
    }

    /// [`ListenerEntry::matching`].
    pub fn matching(self, pattern: &'static str) -> Self {
        self.0.pattern = Some(pattern.into());
        self
    }
}

/// The listeners that a subscriber has.
pub fn subscriptions<S: Subscriber>() -> Vec<ListenerEntry> {
    let mut events = Subscriptions::<S> { entries: Vec::new(), subscriber: PhantomData };
    S::subscribe(&mut events);
    events.entries
}
