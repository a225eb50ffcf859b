use std::{any::type_name, borrow::Cow, future::Future, panic::Location, sync::Arc};

use futures_util::future::BoxFuture;
use serde_json::Value;

use super::{AnyEvent, Heard, ListenerFn, ListenerOutput, Propagation, pattern};
use crate::{
    container::{Container, Dependencies, DependencyInfo, Injectable, Key, Resolver, Root},
    queue::JobOptions,
    support::BoxError,
};

/// A type that listens: its fields are its dependencies, by `#[derive(Inject)]`. It is made for each event, so what it is to
/// keep belongs into a service. One type may listen to several events, by an implementation each.
///
/// ```
/// use paravel::{Inject, container::Inject as Injected, events::Listener, listener, support::{BoxError, Level, LogSink}};
///
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct ShipSailed {
///     name: String,
/// }
///
/// #[derive(Inject)]
/// struct Farewell {
///     log: Injected<dyn LogSink>,
/// }
///
/// #[listener(priority = 5)]
/// impl Listener<ShipSailed> for Farewell {
///     async fn handle(&self, event: &ShipSailed) -> Result<(), BoxError> {
///         self.log.write(Level::Info, "farewell", &[("ship", &event.name)]);
///         Ok(())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not listen to `{E}`",
    note = "implement `Listener<{E}>` for it"
)]
pub trait Listener<E: Heard>: Injectable + Send + Sync + 'static {
    /// What [`handle`](Self::handle) returns, which [`listener`](crate::listener) fills in.
    type Output: ListenerOutput;

    /// Does what is to be done about the event.
    fn handle(&self, event: &E) -> impl Future<Output = Self::Output> + Send;
}

type Call =
    Arc<dyn for<'a> Fn(&'a AnyEvent, &'a Container) -> BoxFuture<'a, Result<Propagation, BoxError>> + Send + Sync>;

/// Makes an event of the JSON that it was stored as.
pub type Revive = fn(Value) -> Result<AnyEvent, BoxError>;

/// A listener without its types, and what is said of it; for
/// [`ApplicationBuilder::listener`](crate::foundation::ApplicationBuilder::listener).
///
/// ```
/// use paravel::events::{AnyEvent, ListenerEntry};
///
/// let counts = ListenerEntry::of_fn(async |event: &AnyEvent| println!("{}", event.name()));
/// let counts = counts.named("counts").matching("Ship*").priority(10);
/// ```
#[derive(Clone)]
#[must_use = "a listener hears nothing until it is registered"]
pub struct ListenerEntry {
    pub(super) name: Cow<'static, str>,
    /// Its name is the place where it stands, and changes with it.
    pub(super) is_nameless: bool,
    /// The one type that it hears, where it is one.
    pub(super) hears: Option<Key>,
    pub(super) pattern: Option<Cow<'static, str>>,
    pub(super) priority: i32,
    pub(super) subscriber: Option<&'static str>,
    pub(super) dependencies: Vec<DependencyInfo>,
    /// How it is queued, where it is.
    pub(super) queued: Option<JobOptions>,
    pub(super) revive: Option<Revive>,
    call: Call,
}

impl ListenerEntry {
    /// A listener of this name; `call` is given the event, and the container to resolve `dependencies` from.
    pub fn new<E: Heard>(
        name: impl Into<Cow<'static, str>>,
        dependencies: Vec<DependencyInfo>,
        call: impl for<'a> Fn(&'a E, &'a Container) -> BoxFuture<'a, Result<Propagation, BoxError>> + Send + Sync + 'static,
    ) -> Self {
        let call: Call = Arc::new(move |event, app| match E::of(event) {
            Some(event) => call(event, app),
            // The bus never lets it happen.
            None => Box::pin(async { Err("it was called with another event".into()) }),
        });
        let (name, hears) = (name.into(), E::key());
        Self {
            name,
            is_nameless: false,
            hears,
            pattern: None,
            priority: 0,
            subscriber: None,
            dependencies,
            queued: None,
            revive: E::REVIVE,
            call,
        }
    }

    /// The listener that `L` is to `E`.
    pub fn of<L: Listener<E>, E: Heard>() -> Self {
        Self::new::<E>(type_name::<L>(), L::dependencies(), |event, app| {
            Box::pin(async move { L::make(&Resolver::new(app))?.handle(event).await.into_result() })
        })
    }

    /// An async function that takes the event by reference, then up to eight dependencies, or such a closure. A function's
    /// name is its path, a closure's the place of this call.
    #[track_caller]
    pub fn of_fn<E, Arguments, Function>(function: Function) -> Self
    where
        E: Heard,
        Arguments: Dependencies + Send,
        Function: for<'e> ListenerFn<'e, E, Arguments> + Clone + Send + Sync + 'static,
    {
        let name = name_of::<Function>(Location::caller());
        let is_nameless = is_closure::<Function>();
        let entry = Self::new::<E>(name, Arguments::infos(), move |event, app| {
            // An async closure lends what it holds to its future, unless it gives itself up.
            let function = function.clone();
            Box::pin(async move {
                let arguments = Arguments::resolve(&Resolver::new(app))?;
                function.call(event, arguments).await.into_result()
            })
        });
        Self { is_nameless, ..entry }
    }

    /// The same under another name, by which errors and `event:list` speak of it; and by which its jobs are found, where it is
    /// [queued](Self::queued): it has to stay for as long as any of them wait.
    pub fn named(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self.is_nameless = false;
        self
    }

    /// The same, before those of a lower priority; by default it is 0. Listeners of one priority run in the order of their
    /// names.
    pub fn priority(mut self, priority: i32) -> Self {
        self.priority = priority;
        self
    }

    /// The same for the events of these names alone, where it is a listener of [`AnyEvent`]; `*` stands for any text, as in
    /// `User*`. With `::` in it, the pattern is about the type's name with its paths: `app::events::*`.
    pub fn matching(mut self, pattern: impl Into<Cow<'static, str>>) -> Self {
        self.pattern = Some(pattern.into());
        self
    }

    /// What it needs, for verification.
    pub fn root(&self) -> Root {
        let (kind, name) = match self.subscriber {
            Some(subscriber) => ("subscriber", subscriber),
            None => ("listener", &*self.name),
        };
        Root { kind, name: name.to_owned(), dependencies: self.dependencies.clone() }
    }

    pub(super) fn hears(&self, key: Key) -> bool {
        match self.hears {
            Some(heard) => heard == key,
            None => self.pattern.as_deref().is_none_or(|pattern| pattern::matches(pattern, key)),
        }
    }

    pub(super) async fn call(&self, event: &AnyEvent, app: &Container) -> Result<Propagation, BoxError> {
        (self.call)(event, app).await
    }
}

pub(super) fn name_of<Function>(location: &Location<'_>) -> Cow<'static, str> {
    if is_closure::<Function>() {
        return format!("closure at {}:{}", location.file(), location.line()).into();
    }
    type_name::<Function>().into()
}

fn is_closure<Function>() -> bool {
    type_name::<Function>().ends_with("{{closure}}")
}

/// Listeners that are registered where they stand; [`listener`](crate::listener) submits one.
#[derive(Clone, Copy)]
pub struct ListenerSource(fn() -> Vec<ListenerEntry>);

inventory::collect!(ListenerSource);

impl ListenerSource {
    /// A source of these.
    pub const fn new(entries: fn() -> Vec<ListenerEntry>) -> Self {
        Self(entries)
    }

    /// All that are registered in any linked crate, in no order.
    pub(super) fn all() -> impl Iterator<Item = ListenerEntry> {
        inventory::iter::<Self>.into_iter().flat_map(|source| (source.0)())
    }
}
