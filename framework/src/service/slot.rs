use std::{fmt, marker::PhantomData, time::Duration};

/// Where a cached method keeps what it returns for some arguments. `#[service]` makes a function for each such method:
/// `find`'s is `<dyn UserService>::cached_find(id)`.
pub struct CacheSlot<T> {
    /// The key.
    pub key: String,
    /// The tags.
    pub tags: Vec<String>,
    /// For how long.
    pub ttl: Duration,
    /// What is kept.
    pub value: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for CacheSlot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("CacheSlot");
        shown.field("key", &self.key).field("tags", &self.tags).field("ttl", &self.ttl).finish_non_exhaustive()
    }
}

/// What is kept of what a method returns.
pub trait Answer {
    /// Its value.
    type Value;
}

impl<T, E> Answer for Result<T, E> {
    type Value = T;
}
