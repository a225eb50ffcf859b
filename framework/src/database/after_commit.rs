use std::{future::Future, num::NonZeroU32, panic::AssertUnwindSafe, sync::Arc};

use futures_util::future::{BoxFuture, FutureExt};
use parking_lot::Mutex;
use tokio::runtime::Handle;

use crate::container::{Ambient, NoApplication, Scope, enter, panic_message, with_current};

type Hook = BoxFuture<'static, ()>;

/// What waits for a transaction's commit; lives in the transaction's scope.
#[derive(Default)]
pub(super) struct AfterCommit(Mutex<Option<Pending>>);

#[derive(Default)]
struct Pending {
    hooks: Vec<Hook>,
    // The depth of each open savepoint, and how many hooks there were when it began. At which depth a driver runs its work
    // is its own affair, so only the order of depths counts.
    savepoints: Vec<(NonZeroU32, usize)>,
}

/// Runs a future after the transaction that is open here has been committed, or at once where none is. On rollback
/// it is dropped. Returns whether it waits.
///
/// # Errors
/// [`NoApplication`] where there is none, and so no scope to wait in.
pub async fn after_commit<F>(hook: F) -> Result<bool, NoApplication>
where
    F: Future<Output = ()> + Send + 'static,
{
    let buffer = with_current(|app| app.current_scope().and_then(|scope| scope.get::<AfterCommit>()))?;
    let Some(buffer) = buffer else {
        hook.await;
        return Ok(false);
    };
    let late = match &mut *buffer.0.lock() {
        Some(pending) => {
            pending.hooks.push(hook.boxed());
            None
        }
        None => Some(hook),
    };
    match late {
        // The transaction is over, and whoever is still in its scope is past it.
        Some(hook) => {
            hook.await;
            Ok(false)
        }
        None => Ok(true),
    }
}

/// Whether a transaction is open here, so that what is read may never be committed, and others do not see it yet.
pub fn in_transaction() -> bool {
    let buffer = with_current(|app| app.current_scope().and_then(|scope| scope.get::<AfterCommit>()));
    buffer.is_ok_and(|buffer| buffer.is_some_and(|buffer| buffer.0.lock().is_some()))
}

/// A hook for every transaction that begins in a scope; lives in that scope.
struct EachCommit {
    hook: Box<dyn Fn() -> Hook + Send + Sync>,
    outer: Option<Arc<EachCommit>>,
}

/// Runs a future, and what `hook` makes after the commit of each transaction that begins in it: also where the future is
/// dropped before the commit, which its transactions outlive. It comes before what the transactions raise themselves.
///
/// ```
/// use paravel::database::{Db, DbError, SqliteConn, each_commit};
///
/// # async fn example(db: &Db<SqliteConn>) -> Result<(), DbError> {
/// let forget = || async { /* what was computed from the rows */ };
/// each_commit(forget, db.write(async |_| Ok::<_, DbError>(()))).await
/// # }
/// ```
pub async fn each_commit<F, H>(hook: impl Fn() -> H + Send + Sync + 'static, future: F) -> F::Output
where
    F: Future,
    H: Future<Output = ()> + Send + 'static,
{
    let Some(ambient) = Ambient::capture() else { return future.await };
    let (scope, outer) = inside(&ambient);
    scope.set(EachCommit { hook: Box::new(move || hook().boxed()), outer: outer.and_then(|outer| outer.get()) });
    enter(Ambient::new(ambient.container().with_scope(Arc::new(scope))), future).await
}

/// A scope inside the one that is in force, which comes with it.
fn inside(ambient: &Ambient) -> (Scope, Option<&Arc<Scope>>) {
    let outer = ambient.container().current_scope();
    (outer.map_or_else(Scope::new, Scope::child), outer)
}

/// Notes that a savepoint has begun at this depth.
pub(super) fn begins(depth: NonZeroU32) {
    with_pending(|pending| {
        pending.savepoints.retain(|(open, _)| *open < depth);
        pending.savepoints.push((depth, pending.hooks.len()));
        Vec::new()
    });
}

/// Drops what was raised since the savepoint at this depth, which is being rolled back.
pub(super) fn rolls_back(depth: NonZeroU32) {
    with_pending(|pending| {
        let kept = pending.savepoints.iter().find(|(open, _)| *open == depth).map(|(_, kept)| *kept);
        pending.hooks.split_off(kept.unwrap_or(pending.hooks.len()))
    });
}

/// The driver begins and ends the outermost transaction outside its scope, so whatever is noted here is a savepoint.
fn with_pending(with: impl FnOnce(&mut Pending) -> Vec<Hook>) {
    let buffer = with_current(|app| app.current_scope().and_then(|scope| scope.get::<AfterCommit>()));
    if let Ok(Some(buffer)) = buffer {
        let dropped = buffer.0.lock().as_mut().map(with);
        // Without the lock: what a hook holds may do anything as it goes.
        drop(dropped);
    }
}

/// The scope that a transaction runs in: the caller's, and a buffer for what waits for the commit.
pub(super) struct TransactionScope {
    caller: Option<Ambient>,
    inner: Option<Ambient>,
    buffer: Arc<AfterCommit>,
}

impl TransactionScope {
    /// A scope inside the caller's.
    pub(super) fn begin() -> Self {
        let caller = Ambient::capture();
        let (inner, buffer) = match &caller {
            Some(ambient) => {
                let (scope, outer) = inside(ambient);
                let mut pending = Pending::default();
                let mut each = outer.and_then(|outer| outer.get::<EachCommit>());
                while let Some(standing) = each {
                    pending.hooks.push((standing.hook)());
                    each = standing.outer.clone();
                }
                let buffer = scope.set(AfterCommit(Mutex::new(Some(pending))));
                (Some(Ambient::new(ambient.container().with_scope(Arc::new(scope)))), buffer)
            }
            None => (None, Arc::default()),
        };
        Self { caller, inner, buffer }
    }

    /// Runs the transaction's closure.
    pub(super) async fn run<F: Future>(&self, future: F) -> F::Output {
        match &self.inner {
            Some(ambient) => enter(ambient.clone(), future).await,
            None => future.await,
        }
    }

    /// What waited for the commit, which has happened.
    pub(super) fn committed(self, handle: Handle) -> Hooks {
        let pending = self.buffer.0.lock().take().unwrap_or_default();
        Hooks { hooks: pending.hooks, ambient: self.caller, handle }
    }
}

/// Hooks of a committed transaction. Where nobody waits for them any more, they run by themselves.
pub(super) struct Hooks {
    hooks: Vec<Hook>,
    ambient: Option<Ambient>,
    handle: Handle,
}

impl Hooks {
    /// Runs them in order. They go on although the caller goes away.
    pub(super) async fn run(mut self) {
        if let Some(task) = self.start() {
            // It fails only where the runtime is being shut down.
            let _ = task.await;
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the ambient is entered here, from a thread that has none")]
    fn start(&mut self) -> Option<tokio::task::JoinHandle<()>> {
        let hooks = std::mem::take(&mut self.hooks);
        if hooks.is_empty() {
            return None;
        }
        let all = async move {
            for hook in hooks {
                // One that panics keeps the others from nothing, and the transaction is committed all the same.
                if let Err(panic) = AssertUnwindSafe(hook).catch_unwind().await {
                    tracing::error!(panic = panic_message(&*panic), "what waited for a commit panicked after it");
                }
            }
        };
        Some(match self.ambient.take() {
            Some(ambient) => self.handle.spawn(enter(ambient, all)),
            None => self.handle.spawn(all),
        })
    }
}

impl Drop for Hooks {
    fn drop(&mut self) {
        self.start();
    }
}
