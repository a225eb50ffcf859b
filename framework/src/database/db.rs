use std::{fmt, future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::future::FutureExt;
use parking_lot::Mutex;
use tokio::{
    runtime::Handle,
    sync::{OnceCell, oneshot},
};
use tracing::Instrument;

use super::{
    Connection, DatabaseLoad, DbClosure, DbError, Driver, FromPrimary, Isolation, ReadFrom, Source, StickyReads,
    Verdict, Work,
    after_commit::{self, Identity, TransactionScope},
    connection::{Heard, Run},
};
use crate::{config::DatabaseConfig, container::panic_message};

/// How often a transaction that met a conflict is run in all.
const ATTEMPTS: u32 = 5;

/// The longest pause before it is run again, for the first time; each further one is four times as long. Whoever was in the
/// way may be about to commit: run again at once, it would meet the same conflict.
const PAUSE: Duration = Duration::from_millis(2);

tokio::task_local! {
    // Set while a closure has a connection: where it was given to the database.
    static IN_CLOSURE: Source;
}

/// The database of an application whose connection type is `C`.
pub struct Db<C: Connection> {
    config: DatabaseConfig,
    driver: OnceCell<C::Driver>,
    identity: Identity,
}

impl<C: Connection> fmt::Debug for Db<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Db").field("url", &self.config.url).finish_non_exhaustive()
    }
}

impl<C: Connection> Db<C> {
    /// The database that `config` names. It is opened at the first use, or by [`connect`](Self::connect).
    ///
    /// # Errors
    /// [`DbError::Scheme`] where the URL is for another backend than `C`'s; [`DbError::ReplicaScheme`] and
    /// [`DbError::NoReplicas`] where a replica's is, or there can be none.
    pub fn new(config: DatabaseConfig) -> Result<Self, DbError> {
        if config.url.scheme() != C::BACKEND {
            return Err(DbError::Scheme { found: config.url.scheme().to_owned(), expected: C::BACKEND });
        }
        match &config.read_url {
            Some(_) if C::BACKEND == "sqlite" => return Err(DbError::NoReplicas { backend: C::BACKEND }),
            Some(url) if url.scheme() != C::BACKEND => {
                return Err(DbError::ReplicaScheme { found: url.scheme().to_owned(), expected: C::BACKEND });
            }
            _ => {}
        }
        Ok(Self { config, driver: OnceCell::new(), identity: Identity::default() })
    }

    /// Opens the database, so that what is wrong with it is found at start.
    ///
    /// # Errors
    /// [`DbError::Open`], [`DbError::Unreachable`] or [`DbError::TooOld`], naming the database.
    pub async fn connect(&self) -> Result<(), DbError> {
        self.driver().await.map(drop)
    }

    /// Does what waits and closes the database, where it is open. What is asked of it later fails with
    /// [`DbError::Closed`].
    pub async fn close(&self) {
        if let Some(driver) = self.driver.get() {
            driver.close().await;
        }
    }

    /// The address.
    pub fn config(&self) -> &DatabaseConfig {
        &self.config
    }

    /// Whether it has been opened.
    pub(super) fn is_open(&self) -> bool {
        self.driver.initialized()
    }

    pub(super) async fn driver(&self) -> Result<&C::Driver, DbError> {
        self.driver.get_or_try_init(|| C::Driver::open(&self.config)).await
    }

    /// How much it has to do at this moment, which metrics read: it waits for nothing. Of a database that has not been
    /// opened yet, all numbers are 0.
    pub fn load(&self) -> DatabaseLoad {
        let load = self.driver.get().map(Driver::load).unwrap_or_default();
        DatabaseLoad { backend: C::BACKEND, url: self.config.url.to_string(), ..load }
    }

    /// Runs a closure with a connection that cannot write, on the replica where there is one and nothing has been
    /// written in this request, job or command yet ([`StickyReads`]). It may borrow what is around it.
    ///
    /// # Errors
    /// What the closure returned; [`DbError::AcquireTimeout`] where no connection became free;
    /// [`DbError::NestedTransaction`] inside another database closure.
    #[track_caller]
    pub fn read<'a, R, E, F>(&'a self, closure: F) -> impl Future<Output = Result<R, E>>
    where
        F: DbClosure<C, R, E> + 'a,
        R: Send + 'a,
        E: From<DbError> + Send + 'a,
    {
        self.read_from(Source::caller(), ReadFrom::Replica, closure)
    }

    /// [`read`](Self::read) of what must be the latest, on the primary.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    #[track_caller]
    pub fn read_primary<'a, R, E, F>(&'a self, closure: F) -> impl Future<Output = Result<R, E>>
    where
        F: DbClosure<C, R, E> + 'a,
        R: Send + 'a,
        E: From<DbError> + Send + 'a,
    {
        self.read_from(Source::caller(), ReadFrom::Primary, closure)
    }

    /// [`read`](Self::read) for a caller that stands elsewhere.
    pub(crate) async fn read_from<'a, R, E, F>(&'a self, source: Source, from: ReadFrom, closure: F) -> Result<R, E>
    where
        F: DbClosure<C, R, E> + 'a,
        R: Send + 'a,
        E: From<DbError> + Send + 'a,
    {
        refuse_nesting()?;
        let sticks = || StickyReads::in_force() || FromPrimary::in_force();
        let from = if self.config.read_url.is_some() && sticks() { ReadFrom::Primary } else { from };
        let mut reader = self.driver().await?.reader(from).await?;
        let result = IN_CLOSURE.scope(source, closure(&mut *reader)).await;
        C::Driver::finished(&mut reader);
        result
    }

    /// Runs a closure in a transaction on the primary, and returns once that is committed. An error or a panic
    /// rolls it back; nothing else does: a caller that goes away does not stop it half-way.
    ///
    /// What is raised inside (events, [`after_commit`](super::after_commit) hooks) takes effect after the commit,
    /// and vanishes on rollback.
    ///
    /// The closure runs on another thread, under the caller's ambient scope. It must await nothing but its
    /// connection.
    ///
    /// # Errors
    /// What the closure returned; [`DbError::Overloaded`] where too many writes wait; [`DbError::Panicked`];
    /// [`DbError::NestedTransaction`] inside another database closure; what the commit met.
    #[track_caller]
    pub fn write<R, E, F>(&self, closure: F) -> impl Future<Output = Result<R, E>>
    where
        F: DbClosure<C, R, E> + 'static,
        R: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        self.write_from(Source::caller(), closure)
    }

    /// [`write`](Self::write) for a caller that stands elsewhere.
    pub(crate) async fn write_from<R, E, F>(&self, source: Source, closure: F) -> Result<R, E>
    where
        F: DbClosure<C, R, E> + 'static,
        R: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        self.submit(source, Terms::default(), closure, &mut false).await?
    }

    /// [`write`](Self::write) for a closure that may be run again: where the database could not begin or commit
    /// because of somebody else, it is, up to five times in all, after pauses that grow from 2 to 128 ms.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    #[track_caller]
    pub fn transaction<R, E, F>(&self, closure: F) -> impl Future<Output = Result<R, E>>
    where
        F: DbClosure<C, R, E> + Clone + 'static,
        R: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        self.transaction_from(Source::caller(), None, closure)
    }

    /// [`transaction`](Self::transaction) at an isolation level, which is that of this transaction alone. On SQLite every
    /// one is serializable.
    ///
    /// ```no_run
    /// # #[cfg(feature = "sqlite")] {
    /// # use paravel::database::{Db, DbError, SqliteConn};
    /// use paravel::database::{Connection, Isolation, Statement};
    ///
    /// # async fn example(db: &Db<SqliteConn>) -> Result<(), DbError> {
    /// db.transaction_at(Isolation::Serializable, async |c| {
    ///     let on_call = Statement::new("select count(*) as n from doctors where on_call = 1");
    ///     if c.fetch(&on_call).await?.first().is_some_and(|row| row.integer("n") > 1) {
    ///         c.run(&Statement::new("update doctors set on_call = 0 where name = ?").bind("Ada")).await?;
    ///     }
    ///     Ok::<_, DbError>(())
    /// })
    /// .await
    /// # }
    /// # }
    /// ```
    ///
    /// # Errors
    /// As [`write`](Self::write).
    #[track_caller]
    pub fn transaction_at<R, E, F>(&self, isolation: Isolation, closure: F) -> impl Future<Output = Result<R, E>>
    where
        F: DbClosure<C, R, E> + Clone + 'static,
        R: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        self.transaction_from(Source::caller(), Some(isolation), closure)
    }

    /// [`transaction`](Self::transaction) for a caller that stands elsewhere.
    pub(crate) fn transaction_from<R, E, F>(
        &self,
        source: Source,
        isolation: Option<Isolation>,
        closure: F,
    ) -> impl Future<Output = Result<R, E>>
    where
        F: DbClosure<C, R, E> + Clone + 'static,
        R: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        self.attempt(source, Terms { isolation, is_own: false }, closure)
    }

    /// [`transaction_at`](Self::transaction_at) for what the toolkit itself has to write soon: where all connections of a server are
    /// taken by the application's transactions, it has one more.
    #[track_caller]
    pub(crate) fn own_transaction_at<R, E, F>(
        &self,
        isolation: Isolation,
        closure: F,
    ) -> impl Future<Output = Result<R, E>>
    where
        F: DbClosure<C, R, E> + Clone + 'static,
        R: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        self.attempt(Source::caller(), Terms { isolation: Some(isolation), is_own: true }, closure)
    }

    async fn attempt<R, E, F>(&self, source: Source, terms: Terms, closure: F) -> Result<R, E>
    where
        F: DbClosure<C, R, E> + Clone + 'static,
        R: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        for attempt in 1..ATTEMPTS {
            let mut conflict = false;
            let done = self.submit(source, terms, closure.clone(), &mut conflict).await;
            if !conflict {
                return done?;
            }
            tokio::time::sleep(pause(attempt)).await;
        }
        self.submit(source, terms, closure, &mut false).await?
    }

    /// Has the transaction of this database that is open here do something more at its end, on its connection and before its
    /// commit: after the closure has returned `Ok`, in the order in which it was asked for. Where that fails, the transaction is
    /// rolled back and the error is its own. With a savepoint that is rolled back goes what was asked for in it.
    ///
    /// The hook comes back where no transaction of this database is open here.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] {
    /// use paravel::database::{Connection, Db, DbError, SqliteConn, Statement};
    ///
    /// /// Counts what changes, in the transaction that changes it.
    /// fn count(db: &Db<SqliteConn>) {
    ///     db.before_commit(async |c| {
    ///         c.run(&Statement::new("update counts set changes = changes + 1")).await?;
    ///         Ok(())
    ///     });
    /// }
    /// # }
    /// ```
    pub fn before_commit<H>(&self, hook: H) -> Option<H>
    where
        H: DbClosure<C, (), DbError> + 'static,
    {
        after_commit::before_commit::<C, H>(&self.identity, hook)
    }

    /// Whether a transaction of this database is open here.
    pub(crate) fn has_transaction_here(&self) -> bool {
        after_commit::is_open(&self.identity)
    }

    /// Hears each word that is said on a channel of the server's; `None` where the backend has none.
    pub(crate) async fn listen(&self, channel: &str) -> Result<Option<Heard>, DbError> {
        self.driver().await?.listen(channel).await
    }

    /// The closure's own result, once it is committed or rolled back; else why that could not be done. Notes whether
    /// somebody else's transaction was in the way.
    async fn submit<R, E, F>(
        &self,
        source: Source,
        terms: Terms,
        closure: F,
        conflict: &mut bool,
    ) -> Result<Result<R, E>, DbError>
    where
        F: DbClosure<C, R, E> + 'static,
        R: Send + 'static,
        E: From<DbError> + Send + 'static,
    {
        refuse_nesting()?;
        let driver = self.driver().await?;
        let scope = Arc::new(TransactionScope::begin(&self.identity));
        let outcome = Arc::new(Mutex::new(None));
        let (answer, answered) = oneshot::channel();
        let run = run_work(source, closure, Arc::clone(&scope), Arc::clone(&outcome));
        let handle = Handle::current();
        let done = Box::new(move |done: Result<(), DbError>| {
            let outcome = outcome.lock().take();
            let hooks = match (&done, &outcome) {
                (Ok(()), Some(Ok(Ok(_)))) => Some(scope.committed(handle)),
                _ => {
                    scope.rolled_back();
                    None
                }
            };
            // Where the caller has gone, its hooks run as they are dropped.
            let _ = answer.send((done, outcome, hooks));
        });
        let Terms { isolation, is_own } = terms;
        driver.submit(Work { isolation, is_own, run, done })?;
        let (done, outcome, hooks) = answered.await.map_err(|_| DbError::Closed)?;
        // Whatever the closure made of it, the driver has seen it.
        *conflict = done.as_ref().is_err_and(DbError::is_conflict);
        if matches!(done, Err(DbError::Uncertain { .. })) {
            // Should it have been kept, the next read has to see it.
            StickyReads::mark();
        }
        if let Some(Err(panic)) = outcome {
            return Err(DbError::Panicked { message: panic_message(&*panic) });
        }
        match (done, outcome) {
            (Ok(()), Some(Ok(result))) => {
                if result.is_ok() {
                    StickyReads::mark();
                }
                if let Some(hooks) = hooks {
                    hooks.run().await;
                }
                Ok(result)
            }
            // Its own error says more than that of the rollback after it.
            (Err(_), Some(Ok(Err(error)))) => Ok(Err(error)),
            (Err(error), _) => Err(error),
            (Ok(()), _) => Err(DbError::Closed),
        }
    }
}

/// How a transaction is to be run: see [`Work`].
#[derive(Clone, Copy, Default)]
struct Terms {
    isolation: Option<Isolation>,
    is_own: bool,
}

type Outcome<R, E> = Arc<Mutex<Option<std::thread::Result<Result<R, E>>>>>;

fn run_work<C, R, E, F>(source: Source, closure: F, scope: Arc<TransactionScope>, outcome: Outcome<R, E>) -> Run<C>
where
    C: Connection,
    F: DbClosure<C, R, E> + 'static,
    R: Send + 'static,
    E: From<DbError> + Send + 'static,
{
    // What is logged inside belongs to the caller's request, whatever thread it is on.
    let span = tracing::Span::current();
    Box::new(move |connection| {
        async move {
            // The call itself is inside, too: a function may panic before it has a future.
            let work = scope.run(IN_CLOSURE.scope(source, async {
                let result = closure(&mut *connection).await?;
                scope.before_commit(connection).await?;
                Ok(result)
            }));
            let result = AssertUnwindSafe(work.instrument(span)).catch_unwind().await;
            let verdict = if matches!(result, Ok(Ok(_))) { Verdict::Commit } else { Verdict::Rollback };
            *outcome.lock() = Some(result);
            verdict
        }
        .boxed()
    })
}

pub(crate) fn refuse_nesting() -> Result<(), DbError> {
    match IN_CLOSURE.try_with(|_| ()) {
        Ok(()) => Err(DbError::NestedTransaction),
        Err(_) => Ok(()),
    }
}

/// Where the closure that runs here was given to the database; nothing outside one.
pub(super) fn source() -> Option<Source> {
    IN_CLOSURE.try_with(|source| *source).ok()
}

/// Calls a function that belongs to the closure which was given to the database there, on whatever thread this is.
#[cfg(feature = "sqlite")]
pub(super) fn with_source<R>(source: Source, function: impl FnOnce() -> R) -> R {
    IN_CLOSURE.sync_scope(source, function)
}

/// Between a half and the whole of what the attempt has, so that those who met do not meet again.
fn pause(attempt: u32) -> Duration {
    let longest = PAUSE * 4_u32.pow(attempt - 1);
    let share = getrandom::u32().map_or(1.0, |random| f64::from(random) / f64::from(u32::MAX));
    longest.mul_f64(0.5 + share / 2.0)
}
