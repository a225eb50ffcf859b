use std::time::Duration;

use futures_util::future::BoxFuture;
use uuid::Uuid;

use crate::support::BoxError;

/// Where a cache keeps bytes outside this process. Types, lifetimes, tags and single loads are the
/// [`Cache`](super::Cache)'s affair; a store has keys, versions of tags, and locks.
///
/// A **lease** is the right to load a key's value: `begin` gives it to one of many, and whatever changes the key ends it, so that
/// a value that was loaded before a change is not put in after it. A **tag's version** is random and made when first asked for;
/// to invalidate the tag is to forget it. So a version that got lost invalidates what was kept under it, and never makes it
/// valid again.
///
/// Keys and tags come as the cache wants them kept: with its name and its version in front, and no longer than [`LONGEST_KEY`]
/// bytes.
pub trait Store: LockStore {
    /// What is under these keys, and the versions of those tags that have one, in their order and at one moment.
    fn fetch<'a>(&'a self, keys: &'a [String], tags: &'a [String]) -> BoxFuture<'a, Result<Fetched, StoreError>>;

    /// Takes the lease of a key where nobody has it; then the versions of these tags, made where there are none, and what is
    /// under the key. A version is kept for as long as the entries are.
    fn begin<'a>(&'a self, begin: Begin<'a>) -> BoxFuture<'a, Result<Begun, StoreError>>;

    /// Puts bytes under a key where the condition holds, and ends its lease; whether it did.
    fn put<'a>(&'a self, put: Put<'a>) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// Takes out what is under a key, and ends its lease. Of several callers at once, one gets it.
    fn take<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, StoreError>>;

    /// Adds to the count under a key, from 0 where there is none. A new one is kept for `ttl`. Ends the key's lease.
    ///
    /// [`fetch`](Self::fetch) gives a count as its decimal digits.
    fn count<'a>(&'a self, key: &'a str, by: i64, ttl: Option<Duration>) -> BoxFuture<'a, Result<Counted, StoreError>>;

    /// Forgets the versions of these tags.
    fn invalidate<'a>(&'a self, tags: &'a [String]) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Takes out all keys, leases and tags that begin so. Locks stay.
    fn flush<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Lets a key's lease go on for so long from now, where this owner has it; whether they do. For no time at all, it ends.
    fn extend<'a>(&'a self, key: &'a str, owner: Uuid, lease: Duration) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// How much it holds of what begins so.
    fn usage<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Usage, StoreError>>;

    /// Takes out what is no longer true, where that does not happen by itself; how much that was.
    fn prune(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(std::future::ready(Ok(0)))
    }

    /// Says to `changes` what anybody changes, this process included, from now on and until `changes` is dropped; and where that
    /// ends sooner, that it is over. Called on a runtime, and again after that. False where the store cannot.
    fn follow(&self, _prefix: &str, _changes: std::sync::Weak<dyn Changes>) -> bool {
        false
    }
}

/// How many bytes a key or a tag takes at most: what a primary key of MySQL holds in its shortest row format.
pub const LONGEST_KEY: usize = 255;

/// Locks with an owner and a lease.
pub trait LockStore: Send + Sync + 'static {
    /// Takes a lock where nobody else has it, and begins its owner's lease anew. Where somebody else has it: for how long still.
    fn acquire<'a>(
        &'a self,
        name: &'a str,
        owner: Uuid,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Acquired, StoreError>>;

    /// Gives a lock back; whether it was this owner's.
    fn release<'a>(&'a self, name: &'a str, owner: Uuid) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// Waits until some lock may have been given back since this was called; or, where that cannot be told, for as long as is
    /// good manners between two questions.
    fn released(&self) -> BoxFuture<'_, ()>;
}

/// Hears of changes that others make, for a near tier that must not be old.
pub trait Changes: Send + Sync + 'static {
    /// What was under this key has changed or is gone.
    fn key(&self, key: &str);

    /// These tags were invalidated.
    fn tags(&self, tags: &[String]);

    /// Anything may have changed.
    fn all(&self);

    /// Whether changes are heard of from now on. What changed while they were not is never heard of.
    fn heard(&self, heard: bool);

    /// Nothing is said any more. Whoever wants to hear has to [`follow`](Store::follow) anew.
    fn over(&self);
}

/// A tag's version.
pub type Version = [u8; 16];

/// What [`Store::fetch`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fetched {
    /// What is under each key.
    pub entries: Vec<Option<Vec<u8>>>,
    /// The version of each tag.
    pub tags: Vec<Option<Version>>,
}

/// A value is about to be made for a key.
#[derive(Debug, Clone, Copy)]
pub struct Begin<'a> {
    /// The key.
    pub key: &'a str,
    /// Its tags.
    pub tags: &'a [String],
    /// For how long the value will be kept, and so its tags' versions at least.
    pub ttl: Option<Duration>,
    /// Who would load it and for how long at first. Without it the lease is nobody's.
    pub lease: Option<(Uuid, Duration)>,
}

/// What [`Store::begin`] found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Begun {
    /// What is under the key.
    pub entry: Option<Vec<u8>>,
    /// Whether the lease is the caller's.
    pub leased: bool,
    /// The version of each tag.
    pub tags: Vec<Version>,
}

/// Bytes to be kept.
#[derive(Debug, Clone, Copy)]
pub struct Put<'a> {
    /// Under which key.
    pub key: &'a str,
    /// The bytes.
    pub value: &'a [u8],
    /// For how long; until they are forgotten or have to make room, where not given.
    pub ttl: Option<Duration>,
    /// On which condition.
    pub when: When<'a>,
}

/// On which condition bytes are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When<'a> {
    /// On none.
    Always,
    /// There is nothing under the key.
    Absent,
    /// There is just this.
    Same(&'a [u8]),
    /// This owner still has the lease.
    Leased(Uuid),
}

/// What came of counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// The sum, and for how long it will be kept.
    Sum {
        /// The sum.
        sum: i64,
        /// For how long still; where not given, until it is forgotten.
        expires_in: Option<Duration>,
    },
    /// There is something else under the key. Nothing was changed.
    Other,
    /// The sum would not fit into 64 bits. Nothing was changed.
    Overflow,
}

/// What came of asking for a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acquired {
    /// The caller has it.
    Yes,
    /// Somebody else has, for so long still.
    No(Duration),
}

/// How much a store holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// How many entries.
    pub entries: u64,
    /// How many bytes their values take, where that can be told.
    pub bytes: Option<u64>,
}

/// A store could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// It cannot be reached, or is too slow; it may work a moment later.
    #[error("{0}")]
    Unavailable(#[source] BoxError),
    /// It can be reached, and did not do this.
    #[error("{0}")]
    Refused(#[source] BoxError),
}

impl StoreError {
    /// It cannot be reached.
    pub fn unavailable(error: impl Into<BoxError>) -> Self {
        Self::Unavailable(error.into())
    }

    /// It did not do this.
    pub fn refused(error: impl Into<BoxError>) -> Self {
        Self::Refused(error.into())
    }
}
