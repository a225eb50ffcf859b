use std::any::Any;

use futures_util::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};

use crate::{
    container::{Container, DependencyInfo, Key, Root},
    support::BoxError,
};

/// Something that has happened: any serde struct.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    note = "an event is a plain struct that derives `serde::Serialize` and `serde::Deserialize`"
)]
pub trait Event: Serialize + DeserializeOwned + Send + Sync + 'static {}

impl<E: Serialize + DeserializeOwned + Send + Sync + 'static> Event for E {}

type Call = for<'a> fn(&'a (dyn Any + Send + Sync), Container) -> BoxFuture<'a, Result<(), BoxError>>;

/// A listener without its types; [`listener`](crate::listener) makes one.
#[derive(Clone, Copy)]
pub struct ListenerEntry {
    pub(super) event: fn() -> Key,
    pub(super) name: &'static str,
    pub(super) priority: i32,
    dependencies: fn() -> Vec<DependencyInfo>,
    pub(super) call: Call,
}

inventory::collect!(ListenerEntry);

impl ListenerEntry {
    /// A listener of `E`. A higher `priority` runs earlier; `call` is given the event, to be taken by
    /// [`downcast`], and the container to resolve `dependencies` from.
    pub const fn new<E: Event>(
        name: &'static str,
        priority: i32,
        dependencies: fn() -> Vec<DependencyInfo>,
        call: Call,
    ) -> Self {
        Self { event: Key::of::<E>, name, priority, dependencies, call }
    }

    /// What it needs, for verification.
    pub fn root(&self) -> Root {
        Root { kind: "listener", name: self.name.to_owned(), dependencies: (self.dependencies)() }
    }
}

/// The event that a listener was called with.
///
/// # Errors
/// Where it is of another type, which the bus never lets happen.
pub fn downcast<E: Event>(event: &(dyn Any + Send + Sync)) -> Result<&E, BoxError> {
    event
        .downcast_ref()
        .ok_or_else(|| format!("a listener of `{}` was called with another event", Key::of::<E>()).into())
}
