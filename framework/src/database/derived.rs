use futures_util::future::BoxFuture;

use crate::support::BoxError;

/// What keeps values that were made of the database's rows, as a cache does. Where a command has dropped the rows (`db:wipe`,
/// `migrate:fresh`, or one that takes migrations back), it asks all that are tagged in the container to forget them.
///
/// ```
/// use std::sync::Arc;
/// use futures_util::future::{BoxFuture, FutureExt};
/// use paravel::{container::ContainerBuilder, database::{DerivedData, Forgotten}, support::BoxError};
///
/// /// Finds ships by their names.
/// struct SearchIndex;
///
/// impl SearchIndex {
///     async fn empty(&self) -> Result<(), BoxError> {
///         Ok(())
///     }
/// }
///
/// impl DerivedData for SearchIndex {
///     fn forget<'a>(&'a self, _tables: &'a [String]) -> BoxFuture<'a, Vec<Forgotten>> {
///         async { vec![Forgotten::new("the index of ships", self.empty().await)] }.boxed()
///     }
/// }
///
/// fn register(app: &mut ContainerBuilder) {
///     app.tag(|| -> Arc<dyn DerivedData> { Arc::new(SearchIndex) });
/// }
/// ```
pub trait DerivedData: Send + Sync + 'static {
    /// Forgets it all. `tables` are those that the database has now: what was kept in another one is gone already.
    fn forget<'a>(&'a self, tables: &'a [String]) -> BoxFuture<'a, Vec<Forgotten>>;
}

/// What was to be forgotten, and whether it is.
#[derive(Debug)]
pub struct Forgotten {
    pub(super) what: String,
    pub(super) done: Result<(), BoxError>,
}

impl Forgotten {
    /// What something calls itself in the middle of a sentence, and whether it has forgotten what it had.
    pub fn new(what: impl Into<String>, done: Result<(), impl Into<BoxError>>) -> Self {
        Self { what: what.into(), done: done.map_err(Into::into) }
    }
}
