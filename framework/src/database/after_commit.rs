use std::{any::Any, collections::VecDeque, future::Future, num::NonZeroU32, panic::AssertUnwindSafe, sync::Arc};

use futures_util::future::{BoxFuture, FutureExt};
use parking_lot::Mutex;
use tokio::runtime::Handle;

use super::{DbClosure, DbError, db};
use crate::container::{Ambient, NoApplication, Scope, enter, in_scope, outlive, panic_message};

type Hook = BoxFuture<'static, ()>;

/// What a transaction does at its end, with its own connection.
type BeforeCommit<C> = Box<dyn for<'c> FnOnce(&'c mut C) -> BoxFuture<'c, Result<(), DbError>> + Send>;

/// Which database a transaction is of: one is the same as another where they are one allocation.
pub(super) type Identity = Arc<()>;

/// What waits for a transaction's commit; lives in the transaction's scope.
#[derive(Default)]
pub(super) struct AfterCommit(Mutex<Option<Pending>>);

struct Pending {
    // Until the transaction has done what was to be done before its commit.
    database: Option<Identity>,
    raised: Raised,
    // The depth of each open savepoint, and how many hooks of each kind there were when it began. At which depth a driver
    // runs its work is its own affair, so only the order of depths counts.
    savepoints: Vec<(NonZeroU32, usize, usize)>,
}

/// What was raised in a transaction, each kind in its order. The one is over before the other begins.
#[derive(Default)]
struct Raised {
    /// Each a [`BeforeCommit`] of the database's connection. Taken from the front, of which there may be many.
    before: VecDeque<Box<dyn Any + Send>>,
    after: Vec<Hook>,
}

/// Runs a future after the transaction that is open here has been committed, or at once where none is, such as in a task
/// that was started in a transaction and goes on after it. On rollback it is dropped. Once it runs, it does so to its end,
/// whether the caller goes away or not. Returns whether it waits.
///
/// # Errors
/// [`NoApplication`] where there is none, and so no scope to wait in.
pub async fn after_commit<F>(hook: F) -> Result<bool, NoApplication>
where
    F: Future<Output = ()> + Send + 'static,
{
    let Some(buffer) = in_scope::<AfterCommit>()? else {
        // Inside a read's closure it stays there: what it asks of the database is an error, and no second connection.
        match db::source() {
            Some(_) => hook.await,
            None => outlive(hook).await,
        }
        return Ok(false);
    };
    let late = match &mut *buffer.0.lock() {
        Some(pending) => {
            pending.raised.after.push(hook.boxed());
            None
        }
        None => Some(hook),
    };
    match late {
        // The transaction is over, and whoever is still in its scope is past it.
        Some(hook) => {
            outlive(hook).await;
            Ok(false)
        }
        None => Ok(true),
    }
}

/// Whether a transaction is open here, so that what is read may never be committed, and others do not see it yet.
pub fn in_transaction() -> bool {
    in_scope::<AfterCommit>().is_ok_and(|buffer| buffer.is_some_and(|buffer| buffer.0.lock().is_some()))
}

/// Has the transaction that is open here, where it is of this database, do something at its end; gives it back otherwise.
pub(super) fn before_commit<C, H>(database: &Identity, hook: H) -> Option<H>
where
    C: Send + 'static,
    H: DbClosure<C, (), DbError> + 'static,
{
    let Ok(Some(buffer)) = in_scope::<AfterCommit>() else { return Some(hook) };
    match &mut *buffer.0.lock() {
        Some(pending) if pending.is_of(database) => {
            let hook: BeforeCommit<C> = Box::new(move |c| async move { hook(c).await }.boxed());
            pending.raised.before.push_back(Box::new(hook));
            None
        }
        _ => Some(hook),
    }
}

/// Whether the transaction that is open here, where one is, is of this database.
pub(super) fn is_open(database: &Identity) -> bool {
    let buffer = in_scope::<AfterCommit>().ok().flatten();
    buffer.is_some_and(|buffer| buffer.0.lock().as_ref().is_some_and(|pending| pending.is_of(database)))
}

impl Pending {
    fn is_of(&self, database: &Identity) -> bool {
        self.database.as_ref().is_some_and(|own| Arc::ptr_eq(own, database))
    }
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
        let Raised { before, after } = &pending.raised;
        pending.savepoints.retain(|(open, ..)| *open < depth);
        pending.savepoints.push((depth, before.len(), after.len()));
    });
}

/// Drops what was raised since the savepoint at this depth, which is being rolled back.
pub(super) fn rolls_back(depth: NonZeroU32) {
    with_pending(|pending| {
        let Raised { before, after } = &mut pending.raised;
        let begun = pending.savepoints.iter().find(|(open, ..)| *open == depth);
        let (first, second) = begun.map_or((before.len(), after.len()), |(_, first, second)| (*first, *second));
        Raised { before: before.split_off(first), after: after.split_off(second) }
    });
}

/// The driver begins and ends the outermost transaction outside its scope, so whatever is noted here is a savepoint.
fn with_pending<T>(with: impl FnOnce(&mut Pending) -> T) {
    if let Ok(Some(buffer)) = in_scope::<AfterCommit>() {
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
    /// A scope inside the caller's, for a transaction of this database.
    pub(super) fn begin(database: &Identity) -> Self {
        let caller = Ambient::capture();
        let (inner, buffer) = match &caller {
            Some(ambient) => {
                let (scope, outer) = inside(ambient);
                let database = Some(Arc::clone(database));
                let mut pending = Pending { database, raised: Raised::default(), savepoints: Vec::new() };
                let mut each = outer.and_then(|outer| outer.get::<EachCommit>());
                while let Some(standing) = each {
                    pending.raised.after.push((standing.hook)());
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

    /// Does what was to be done before the commit, in its order, and what that itself raises.
    pub(super) async fn before_commit<C: Send + 'static>(&self, c: &mut C) -> Result<(), DbError> {
        while let Some(hook) = self.next_before() {
            // The buffer is of this database, and so of this connection's type.
            if let Ok(hook) = hook.downcast::<BeforeCommit<C>>() {
                hook(c).await?;
            }
        }
        Ok(())
    }

    fn next_before(&self) -> Option<Box<dyn Any + Send>> {
        let mut pending = self.buffer.0.lock();
        let pending = pending.as_mut()?;
        let next = pending.raised.before.pop_front();
        if next.is_none() {
            // A task that was started inside may still be in its scope, and is too late.
            pending.database = None;
        }
        next
    }

    /// What waited for the commit, which has happened.
    pub(super) fn committed(&self, handle: Handle) -> Hooks {
        Hooks { hooks: self.close().after, ambient: self.caller.clone(), handle }
    }

    /// Drops what waited for the commit, which does not happen. A task that was started inside waits for nothing any more.
    pub(super) fn rolled_back(&self) {
        drop(self.close());
    }

    fn close(&self) -> Raised {
        self.buffer.0.lock().take().map(|pending| pending.raised).unwrap_or_default()
    }
}

// A driver that is gone has neither committed nor rolled back.
impl Drop for TransactionScope {
    fn drop(&mut self) {
        self.rolled_back();
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
