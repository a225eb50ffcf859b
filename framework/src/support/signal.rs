use std::{
    any::{Any, TypeId, type_name},
    fmt,
    sync::Arc,
};

use serde::Serialize;
use serde_json::Value;

/// Something that a lower layer has noticed, a slow query for one, for whoever listens above it. An application hears it as
/// an event of that type.
#[derive(Clone)]
pub struct Signal {
    id: TypeId,
    name: &'static str,
    value: Arc<dyn Any + Send + Sync>,
    json: fn(&dyn Any) -> serde_json::Result<Value>,
}

impl Signal {
    /// A signal of this value, whose type listeners know it by.
    pub fn new<T: Serialize + Send + Sync + 'static>(value: T) -> Self {
        Self { id: TypeId::of::<T>(), name: type_name::<T>(), value: Arc::new(value), json: json::<T> }
    }

    /// The type of its value.
    pub const fn of(&self) -> (TypeId, &'static str) {
        (self.id, self.name)
    }

    /// Its value.
    pub fn value(&self) -> &(dyn Any + Send + Sync) {
        &*self.value
    }

    /// What its value says, as JSON.
    ///
    /// # Errors
    /// Where JSON cannot say it.
    pub fn json(&self) -> serde_json::Result<Value> {
        (self.json)(&*self.value)
    }
}

fn json<T: Serialize + 'static>(value: &dyn Any) -> serde_json::Result<Value> {
    // A signal's value is of the type that it was made with.
    serde_json::to_value(value.downcast_ref::<T>())
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signal").field("of", &self.name).finish_non_exhaustive()
    }
}

/// Marks the scope of what a signal has given rise to, the jobs that are dispatched there included: nothing in it raises another. A
/// listener of failures that fails itself, or one of slow queries that makes one, would else never come to an end.
pub(crate) struct Carried;

/// Takes signals to those who listen. The event bus is one.
pub trait SignalSink: Send + Sync {
    /// Takes one, and returns at once: whoever raises it is in the middle of something else.
    fn raise(self: Arc<Self>, signal: Signal);
}
