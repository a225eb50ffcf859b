use std::{any::Any, fmt, future::Future, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use serde::{Serialize, de::DeserializeOwned};

use super::{Connection, Db, DbClosure, DbError, ReadFrom, Source, StickyReads, db::refuse_nesting};
use crate::container::with_current;

/// Keeps what reads found. An application binds one as `dyn ReadCache`; without it
/// [`Db::read_cached`](super::Db::read_cached) reads anew each time.
///
/// Whether several that miss at once share one read, where results are kept, and when they are dropped is the cache's own
/// affair. One that drops by tags has to see to it that a read which began before a write was committed, and ends after, is
/// not kept. No cache is asked inside a database closure, nor after the request has written.
pub trait ReadCache: Send + Sync {
    /// What is kept for the read, or else what it [loads](CachedRead::load), which is kept from then on.
    ///
    /// A cache that fails should load, too: the database has the last word.
    fn remember<'a>(&'a self, read: CachedRead<'a>) -> BoxFuture<'a, Result<ReadValue, DbError>>;
}

/// What a read found, without its type.
pub type ReadValue = Arc<dyn Any + Send + Sync>;

/// Under which name a read's result is kept, for how long, and what makes it stale.
///
/// ```
/// use std::time::Duration;
/// use paravel::database::ReadKey;
///
/// let key = ReadKey::new("users:42", Duration::from_secs(60)).tag("users");
/// assert_eq!((key.name(), key.tags()), ("users:42", &["users".to_owned()][..]));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReadKey {
    name: String,
    ttl: Duration,
    tags: Vec<String>,
}

impl ReadKey {
    /// The key of this name, whose result may be kept for `ttl`. All that the result depends on belongs into the name.
    pub fn new(name: impl Into<String>, ttl: Duration) -> Self {
        Self { name: name.into(), ttl, tags: Vec::new() }
    }

    /// The same with one more tag.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tags.push(tag.into());
        self
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// For how long it may be kept.
    pub fn ttl(&self) -> Duration {
        self.ttl
    }

    /// What it is dropped by.
    pub fn tags(&self) -> &[String] {
        &self.tags
    }
}

/// A read that a [`ReadCache`] may answer.
pub struct CachedRead<'a> {
    key: &'a ReadKey,
    codec: ReadCodec,
    load: BoxFuture<'a, Result<ReadValue, DbError>>,
}

impl<'a> CachedRead<'a> {
    /// Under which key.
    pub fn key(&self) -> &'a ReadKey {
        self.key
    }

    /// What the result's type can do.
    pub fn codec(&self) -> ReadCodec {
        self.codec
    }

    /// Reads from the database.
    ///
    /// # Errors
    /// The read's own, which is not to be kept.
    pub async fn load(self) -> Result<ReadValue, DbError> {
        self.load.await
    }
}

impl fmt::Debug for CachedRead<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedRead").field("key", &self.key).finish_non_exhaustive()
    }
}

/// The type of a read's result, for a cache that keeps bytes elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct ReadCodec {
    is: fn(&ReadValue) -> bool,
    encode: fn(&ReadValue) -> Option<Vec<u8>>,
    decode: fn(&[u8]) -> Option<ReadValue>,
}

impl ReadCodec {
    fn of<R: Serialize + DeserializeOwned + Send + Sync + 'static>() -> Self {
        Self {
            is: |value| value.is::<R>(),
            encode: |value| serde_json::to_vec(value.downcast_ref::<R>()?).ok(),
            decode: |bytes| Some(Arc::new(serde_json::from_slice::<R>(bytes).ok()?)),
        }
    }

    /// Whether the value is of this type. What was kept under the same key for another one is none.
    pub fn is(&self, value: &ReadValue) -> bool {
        (self.is)(value)
    }

    /// The value in bytes; `None` where it has none.
    pub fn encode(&self, value: &ReadValue) -> Option<Vec<u8>> {
        (self.encode)(value)
    }

    /// The value that these bytes were made of; `None` where the type has changed since.
    pub fn decode(&self, bytes: &[u8]) -> Option<ReadValue> {
        (self.decode)(bytes)
    }
}

impl<C: Connection> Db<C> {
    /// [`read`](Self::read), or what an earlier one found under this key: where the application has a [`ReadCache`], that
    /// one decides. After a write in the same request it is not asked, so that a request sees what it wrote.
    ///
    /// # Errors
    /// As [`read`](Self::read), also where the result is kept; [`DbError::CachedType`] where the cache gives a value of
    /// another type.
    #[track_caller]
    pub fn read_cached<'a, R, F>(
        &'a self,
        key: &'a ReadKey,
        closure: F,
    ) -> impl Future<Output = Result<Arc<R>, DbError>>
    where
        F: DbClosure<C, R, DbError> + 'a,
        R: Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        self.read_cached_from(Source::caller(), key, closure)
    }

    /// [`read_cached`](Self::read_cached) for a caller that stands elsewhere.
    pub(crate) async fn read_cached_from<'a, R, F>(
        &'a self,
        source: Source,
        key: &'a ReadKey,
        closure: F,
    ) -> Result<Arc<R>, DbError>
    where
        F: DbClosure<C, R, DbError> + 'a,
        R: Serialize + DeserializeOwned + Send + Sync + 'static,
    {
        // Before the cache is asked: a call that works while the result is kept would fail when it is not.
        refuse_nesting()?;
        let Some(cache) = in_force()? else {
            return Ok(Arc::new(self.read_from(source, ReadFrom::Replica, closure).await?));
        };
        let load = Box::pin(load(self, source, closure));
        let value = cache.remember(CachedRead { key, codec: ReadCodec::of::<R>(), load }).await?;
        value
            .downcast()
            .map_err(|_| DbError::CachedType { key: key.name.clone(), expected: std::any::type_name::<R>() })
    }
}

/// The cache that may be asked here.
fn in_force() -> Result<Option<Arc<dyn ReadCache>>, DbError> {
    if StickyReads::in_force() {
        return Ok(None);
    }
    let cache = with_current(|app| app.bound::<dyn ReadCache>().then(|| app.make::<dyn ReadCache>()));
    // Outside an application there is none.
    Ok(cache.ok().flatten().transpose()?)
}

async fn load<C, R, F>(db: &Db<C>, source: Source, closure: F) -> Result<ReadValue, DbError>
where
    C: Connection,
    F: DbClosure<C, R, DbError>,
    R: Send + Sync + 'static,
{
    // A replica may not have yet what an invalidation was for, and what it answers would be kept.
    Ok(Arc::new(db.read_from(source, ReadFrom::Primary, closure).await?))
}
