use std::{fmt, time::Duration};

/// Where a cached method keeps what it returns for some arguments. `#[service]` makes a function for each such method:
/// `find`'s is `<dyn UserService>::cached_find(id)`.
pub struct CacheSlot<T> {
    /// The key.
    pub key: String,
    /// The tags.
    pub tags: Vec<String>,
    /// For how long.
    pub ttl: Duration,
    /// Whether anything is kept for these arguments: what `when` says of them.
    pub when: bool,
    /// Whether such a value is kept: `None` is only with `keep_none`.
    pub keep: fn(&T) -> bool,
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
    /// Its error.
    type Error;
}

impl<T, E> Answer for Result<T, E> {
    type Value = T;
    type Error = E;
}

/// A piece of a key or a tag that an argument gives: `:` and `%` in it are percent-encoded.
pub struct KeyPart<'a>(pub fmt::Arguments<'a>);

impl fmt::Display for KeyPart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::write(&mut Encoded(f), self.0)
    }
}

struct Encoded<'a, 'f>(&'a mut fmt::Formatter<'f>);

impl fmt::Write for Encoded<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for part in text.split_inclusive([':', '%']) {
            match part.as_bytes().last() {
                Some(b':') => write!(self.0, "{}%3A", &part[..part.len() - 1])?,
                Some(b'%') => write!(self.0, "{}%25", &part[..part.len() - 1])?,
                _ => self.0.write_str(part)?,
            }
        }
        Ok(())
    }
}
