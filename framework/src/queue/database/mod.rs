//! The queues in the application's own database.

mod admin;
mod batches;
mod claim;
mod failed;
mod gather;
mod held;
mod inbox;
mod outbox;
mod push;
mod row;
mod settle;
mod tend;
mod wake;
mod within;

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::{Duration, Instant},
};

use futures_util::future::{BoxFuture, FutureExt};
use parking_lot::Mutex;

use super::{Beat, Driver, DriverError, Durability, Orders, Push, Pushed, QueueAdmin, Receipt, Tended, Turn, Turned};
use crate::{
    database::{Connection, Db, DbClosure, DbError, Isolation, apart, refuse_nesting},
    support::{Clock, Timestamp},
};
use claim::Wanted;
use gather::Gather;
use held::Held;
pub use inbox::{Inbox, InboxPruner};
pub use outbox::{Outbox, Relay};
use settle::Ends;
use tend::Workers;
use wake::Wake;
pub(in crate::queue) use within::driver_of;

/// How often a change that met another one is tried, and how much longer to leave the database to others after each.
const MOST_TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(5);

/// The queues in the application's own database, in tables that the toolkit's migrations make. A clone is the same.
///
/// What is dispatched inside a transaction of this database is [a part of it](super::Transactional), and a job can
/// [end](super::JobRun::complete_in) in a transaction of its own.
///
/// Moments at which jobs become due are the application's [`Clock`]'s. Whether a worker is alive is told without one: it counts its
/// beats in the database, and whoever [tends](Driver::tend) the queues sees by the time that passes there whether the count stands
/// still. Whoever could not look for a while, since the database was away or the process stood still, begins to look anew.
///
/// A push by itself may not be made inside a closure of the database, which would wait for itself.
pub struct DatabaseDriver<C: Connection> {
    inner: Arc<Inner<C>>,
}

struct Inner<C: Connection> {
    db: Arc<Db<C>>,
    clock: Arc<dyn Clock>,
    elapsed: Box<dyn Fn() -> Instant + Send + Sync>,
    pushes: Gather,
    workers: Mutex<Workers>,
    held: Held,
    tends: AtomicU64,
    wake: Wake,
}

impl<C: Connection> Clone for DatabaseDriver<C> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner) }
    }
}

impl<C: Connection> DatabaseDriver<C> {
    /// The queues in this database.
    pub fn new(db: Arc<Db<C>>, clock: Arc<dyn Clock>) -> Self {
        Self::timed_by(db, clock, Instant::now)
    }

    /// [`new`](Self::new), for a test that moves the time which passes, too.
    pub fn timed_by(
        db: Arc<Db<C>>,
        clock: Arc<dyn Clock>,
        elapsed: impl Fn() -> Instant + Send + Sync + 'static,
    ) -> Self {
        let inner = Inner {
            db,
            clock,
            elapsed: Box::new(elapsed),
            pushes: Gather::default(),
            workers: Mutex::default(),
            held: Held::default(),
            tends: AtomicU64::new(0),
            wake: Wake::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    fn now(&self) -> Timestamp {
        self.inner.clock.now()
    }

    /// Nobody holds this claim any more.
    pub(in crate::queue) fn let_go(&self, receipt: &Receipt) {
        self.inner.held.let_go(receipt);
    }

    async fn read<R, F>(&self, read: F) -> Result<R, DriverError>
    where
        F: DbClosure<C, R, DbError>,
        R: Send,
    {
        // A replica may not have yet what was just pushed.
        apart(self.inner.db.read_primary(read)).await.map_err(failed)
    }

    async fn write<R, F>(&self, write: F) -> Result<R, DriverError>
    where
        F: DbClosure<C, R, DbError> + Clone + 'static,
        R: Send + 'static,
    {
        // What others have committed meanwhile has to be seen, and no row beside those that are found to be held.
        again(|| self.inner.db.transaction_at(Isolation::ReadCommitted, write.clone()).boxed()).await
    }

    /// [`write`](Self::write) of what a worker lives by: it does not wait for the transactions of its own jobs.
    async fn write_soon<R, F>(&self, write: F) -> Result<R, DriverError>
    where
        F: DbClosure<C, R, DbError> + Clone + 'static,
        R: Send + 'static,
    {
        again(|| self.inner.db.own_transaction_at(Isolation::ReadCommitted, write.clone()).boxed()).await
    }
}

/// Writes, and again where others were in the way. It is in a box, since its type is so deep that what is built upon it would come to
/// the compiler's limit.
async fn again<R, F: Future<Output = Result<R, DbError>>>(write: impl Fn() -> F) -> Result<R, DriverError> {
    let mut tries = 0;
    loop {
        tries += 1;
        match apart(write()).await {
            Err(error) if error.is_conflict() && tries < MOST_TRIES => tokio::time::sleep(tries * PAUSE).await,
            done => return done.map_err(failed),
        }
    }
}

fn failed(error: DbError) -> DriverError {
    // Of what is full, or read by others alone for the time being, the next thing would be refused as well.
    let passes = error.is_transient() || error.is_conflict() || error.is_full() || error.is_read_only();
    match passes || matches!(error, DbError::Uncertain { .. }) {
        true => DriverError::Unavailable(error.into()),
        false => DriverError::Refused(error.into()),
    }
}

impl<C: Connection> Driver for DatabaseDriver<C> {
    fn push(&self, push: Push) -> BoxFuture<'_, Result<Vec<Pushed>, DriverError>> {
        async move {
            refuse_nesting().map_err(failed)?;
            self.gather(push).await
        }
        .boxed()
    }

    fn turn<'a>(&'a self, turn: Turn<'a>) -> BoxFuture<'a, Result<Turned, DriverError>> {
        let Turn { worker, ends, queues, most } = turn;
        let most = if queues.is_empty() { 0 } else { most };
        if ends.is_empty() && most == 0 {
            return std::future::ready(Ok(Turned::default())).boxed();
        }
        let now = self.now();
        let job = Arc::new((Ends::new(ends), Wanted { worker, queues: queues.to_vec(), most }));
        let (doubtful, began) = (self.inner.held.where_doubtful(worker), (self.inner.elapsed)());
        async move {
            let done = Arc::clone(&job);
            let turned = self
                .write_soon(async move |c: &mut C| {
                    let (ends, wanted) = &*job;
                    if let Some(known) = &doubtful {
                        held::put_back(c, worker, known).await?;
                    }
                    let settled = ends.settle_rest(c, now).await?;
                    let (gone, claimed) = claim::turn(c, ends, wanted, now).await?;
                    Ok((ends.settled(&gone, settled), claimed))
                })
                .await;
            let (settled, claimed) = turned.inspect_err(|_| self.inner.held.lost(worker, (self.inner.elapsed)()))?;
            self.inner.held.told(worker, ends, &claimed, began);
            if done.0.is_news() {
                self.tell();
            }
            Ok(Turned { settled, claimed })
        }
        .boxed()
    }

    fn beat<'a>(&'a self, beat: Beat<'a>) -> BoxFuture<'a, Result<Orders, DriverError>> {
        let Beat { worker, lives, status } = beat;
        let (status, since) = (status.to_vec(), (self.inner.elapsed)());
        async move {
            if lives.is_zero() {
                self.inner.workers.lock().forget(worker);
                self.inner.held.forget(worker);
                let restart = self.write_soon(async move |c: &mut C| {
                    tend::leave(c, worker).await?;
                    tend::restart(c).await
                });
                let restart = restart.await?;
                self.tell();
                return Ok(Orders { restart });
            }
            let beaten = self.write_soon(async move |c: &mut C| {
                let beats = tend::beat(c, worker, &status).await?;
                Ok((beats, tend::restart(c).await?))
            });
            let (beats, restart) = beaten.await?;
            self.inner.workers.lock().beats(worker, beats, since, lives);
            Ok(Orders { restart })
        }
        .boxed()
    }

    fn tend<'a>(&'a self, queues: &'a [String]) -> BoxFuture<'a, Result<Tended, DriverError>> {
        self.tend_queues(queues).boxed()
    }

    fn wait<'a>(&'a self, queues: &'a [String], longest: Duration) -> BoxFuture<'a, ()> {
        self.wait_for(queues, longest).boxed()
    }

    fn durability(&self) -> BoxFuture<'_, Result<Durability, DriverError>> {
        // SQLite's writer is always at FULL.
        let query = match C::BACKEND {
            "postgres" => {
                "select (current_setting('fsync') = 'on' and current_setting('synchronous_commit') <> 'off')::int as n"
            }
            "mysql" => "select @@innodb_flush_log_at_trx_commit = 1 as n",
            _ => "select 1 as n",
        };
        async move {
            let query = crate::database::Statement::new(query);
            let rows = self.read(async move |c: &mut C| Ok(c.fetch(&query).await?)).await?;
            let is_on_disk = rows.first().is_some_and(|row| row.integer("n") == 1);
            Ok(if is_on_disk { Durability::Disk } else { Durability::Host })
        }
        .boxed()
    }

    fn admin(&self) -> &dyn QueueAdmin {
        self
    }
}
