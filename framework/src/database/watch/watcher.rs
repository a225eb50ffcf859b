use std::{sync::Arc, time::Instant};

use diesel::connection::{DebugQuery, Instrumentation, InstrumentationEvent};

use super::{QueryWatch, SlowQuery, WatchPolicy, fingerprint::write_sql};
use crate::{
    container::with_current,
    database::{after_commit, db},
};

/// Tells connections' queries to the watch of the scope that runs them, and their savepoints to its after-commit buffer.
#[derive(Default)]
pub(in crate::database) struct Watcher {
    // A transaction's own statements are announced just before they run.
    skip: bool,
    // Where several are sent before the first is answered, the last alone is timed.
    running: Option<(Arc<QueryWatch>, Instant)>,
    // Kept for its room.
    sql: String,
}

impl Instrumentation for Watcher {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::BeginTransaction { depth, .. } => {
                self.skip = true;
                after_commit::begins(depth);
            }
            InstrumentationEvent::RollbackTransaction { depth, .. } => {
                self.skip = true;
                after_commit::rolls_back(depth);
            }
            InstrumentationEvent::CommitTransaction { .. } => self.skip = true,
            InstrumentationEvent::StartQuery { .. } if std::mem::take(&mut self.skip) => self.running = None,
            InstrumentationEvent::StartQuery { .. } => {
                self.running = watch_in_force().map(|watch| {
                    watch.begins();
                    (watch, Instant::now())
                });
            }
            InstrumentationEvent::FinishQuery { query, .. } => self.finished(query),
            _ => {}
        }
    }
}

impl Watcher {
    fn finished(&mut self, query: &dyn DebugQuery) {
        let Some((watch, started)) = self.running.take() else { return };
        let elapsed = started.elapsed();
        watch.took(elapsed);
        let policy = watch.policy();
        let slow = policy.slow.is_some_and(|slow| elapsed >= slow);
        if !policy.watching && !slow {
            return;
        }
        write_sql(query, &mut self.sql);
        let source = db::source();
        if policy.watching {
            watch.keep(&self.sql, elapsed, source);
        }
        if slow {
            SlowQuery::new(&self.sql, elapsed, source).report();
        }
    }
}

/// The watch of the scope that is in force here; outside any there is nobody to tell.
fn watch_in_force() -> Option<Arc<QueryWatch>> {
    let watch = |app: &crate::container::Container| {
        let scope = app.current_scope()?;
        // The policy before the scope is locked: to make it may take more than this.
        let watch = scope.get().unwrap_or_else(|| {
            let policy = WatchPolicy::of(app);
            scope.get_or_set(|| QueryWatch::new(policy))
        });
        Some(watch)
    };
    with_current(watch).ok().flatten()
}
