use std::{
    collections::HashMap,
    panic::RefUnwindSafe,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::Duration,
};

use parking_lot::Mutex;

use super::{Fingerprint, Source, WatchPolicy};

/// Different queries that are kept of one scope. A command may run for days, and build its SQL as it goes.
const KEPT: usize = 1000;

/// The queries of one request, job or command; lives in its scope.
///
/// ```
/// use paravel::{container::current, database::QueryWatch};
///
/// /// How many queries the request that runs here has run so far.
/// fn queries_so_far() -> usize {
///     let scope = current().ok().and_then(|app| app.current_scope().cloned());
///     scope.and_then(|scope| scope.get::<QueryWatch>()).map_or(0, |watch| watch.count())
/// }
///
/// assert_eq!(queries_so_far(), 0);
/// ```
#[derive(Debug, Default)]
pub struct QueryWatch {
    policy: WatchPolicy,
    count: AtomicUsize,
    nanoseconds: AtomicU64,
    queries: Mutex<HashMap<String, Tally>>,
}

#[derive(Debug)]
struct Tally {
    count: usize,
    elapsed: Duration,
    source: Option<Source>,
    // Of equal numbers the earlier query comes first.
    order: usize,
}

/// A query that ran, once or more often.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WatchedQuery {
    /// Its SQL, without the values bound to it.
    pub sql: String,
    /// How often it ran.
    pub count: usize,
    /// How long it took in all.
    pub elapsed: Duration,
    /// The call of `Db::read`, `Db::write` or `Db::transaction` that it first ran in. The line of the query itself is
    /// not known: it is awaited, and a future has no caller.
    pub source: Option<Source>,
}

impl WatchedQuery {
    /// Its name in logs.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.sql)
    }
}

// Numbers that are added to: a panic leaves none of them half-way.
impl RefUnwindSafe for QueryWatch {}

impl QueryWatch {
    /// A watch that has seen nothing yet.
    pub fn new(policy: WatchPolicy) -> Self {
        Self { policy, ..Self::default() }
    }

    /// How closely it looks.
    pub fn policy(&self) -> WatchPolicy {
        self.policy
    }

    /// How many queries have run. Those that begin and end transactions do not count.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// How long the queries took in all; some may have run at once.
    pub fn elapsed(&self) -> Duration {
        Duration::from_nanos(self.nanoseconds.load(Ordering::Relaxed))
    }

    /// The queries that ran, the most frequent first; none where they are only counted.
    pub fn queries(&self) -> Vec<WatchedQuery> {
        self.chosen(|_| true)
    }

    /// The queries that ran as often as the policy holds against them, the most frequent first: there should be one
    /// query in place of each.
    pub fn repeated(&self) -> Vec<WatchedQuery> {
        self.chosen(|tally| tally.count >= self.policy.repeats)
    }

    fn chosen(&self, which: impl Fn(&Tally) -> bool) -> Vec<WatchedQuery> {
        let queries = self.queries.lock();
        let mut chosen: Vec<_> = queries.iter().filter(|(_, tally)| which(tally)).collect();
        chosen.sort_by_key(|(_, tally)| (std::cmp::Reverse(tally.count), tally.order));
        let watched = chosen.into_iter().map(|(sql, tally)| WatchedQuery {
            sql: sql.clone(),
            count: tally.count,
            elapsed: tally.elapsed,
            source: tally.source,
        });
        watched.collect()
    }

    pub(super) fn begins(&self) {
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn took(&self, elapsed: Duration) {
        let nanoseconds = u64::try_from(elapsed.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    pub(super) fn keep(&self, sql: &str, elapsed: Duration, source: Option<Source>) {
        let mut queries = self.queries.lock();
        if let Some(tally) = queries.get_mut(sql) {
            tally.count += 1;
            tally.elapsed += elapsed;
        } else if queries.len() < KEPT {
            let order = queries.len();
            queries.insert(sql.to_owned(), Tally { count: 1, elapsed, source, order });
        }
    }
}
