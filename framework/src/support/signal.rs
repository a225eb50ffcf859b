use std::{
    any::{Any, TypeId, type_name},
    fmt,
    sync::Arc,
};

/// Something that a lower layer has noticed, a slow query for one, for whoever listens above it. An application hears it as
/// an event of that type.
pub struct Signal {
    id: TypeId,
    name: &'static str,
    value: Box<dyn Any + Send + Sync>,
}

impl Signal {
    /// A signal of this value, whose type listeners know it by.
    pub fn new<T: Send + Sync + 'static>(value: T) -> Self {
        Self { id: TypeId::of::<T>(), name: type_name::<T>(), value: Box::new(value) }
    }

    /// The type of its value.
    pub const fn of(&self) -> (TypeId, &'static str) {
        (self.id, self.name)
    }

    /// Its value.
    pub fn value(&self) -> &(dyn Any + Send + Sync) {
        &*self.value
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signal").field("of", &self.name).finish_non_exhaustive()
    }
}

/// Takes signals to those who listen. The event bus is one.
pub trait SignalSink: Send + Sync {
    /// Takes one, and returns at once: whoever raises it is in the middle of something else.
    fn raise(self: Arc<Self>, signal: Signal);
}
