use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Fingerprint, Source};
use crate::{
    container::with_current,
    support::{Signal, SignalSink},
};

/// A query took at least as long as `DB_SLOW_QUERY` allows. It is logged, and an application that wants to do more listens
/// to it as to any event.
///
/// ```
/// use paravel::{database::SlowQuery, listener, support::BoxError};
///
/// #[listener]
/// async fn tell_the_operators(query: &SlowQuery) -> Result<(), BoxError> {
///     eprintln!("{} took {:?}", query.fingerprint, query.elapsed);
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SlowQuery {
    /// Its name in logs: a [`Fingerprint`].
    pub fingerprint: String,
    /// Its SQL, without the values bound to it.
    pub sql: String,
    /// From when it was sent until its answer was read.
    pub elapsed: Duration,
    /// The call of `Db::read`, `Db::write` or `Db::transaction` that it ran in, as `file:line`.
    pub source: Option<String>,
}

impl SlowQuery {
    pub(super) fn new(sql: &str, elapsed: Duration, source: Option<Source>) -> Self {
        Self {
            fingerprint: Fingerprint::of(sql).to_string(),
            sql: sql.to_owned(),
            elapsed,
            source: source.map(|source| source.to_string()),
        }
    }

    /// Logs it and tells whoever listens.
    pub(super) fn report(self) {
        let Self { fingerprint, sql, elapsed, source } = &self;
        let source = source.as_ref().map(tracing::field::display);
        // A script has many lines, and an entry of the log one.
        let sql = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        tracing::warn!(%fingerprint, ?elapsed, %sql, source, "a slow query");
        // Outside an application nobody listens.
        if let Ok(Ok(sink)) = with_current(|app| app.make::<dyn SignalSink>()) {
            sink.raise(Signal::new(self));
        }
    }
}
