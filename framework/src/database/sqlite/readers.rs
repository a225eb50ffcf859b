use std::{
    ops::{Deref, DerefMut},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use diesel::connection::{AnsiTransactionManager, TransactionManager as _};
use parking_lot::Mutex;
use tokio::{
    runtime::Handle,
    sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError},
};

use super::{
    SqliteCalls, SqliteConn,
    driver::{Role, connect},
    group::at_once,
    pace::Paces,
};
use crate::database::{DbError, PoolLoad};

/// The connections that read: opened when first needed, up to a number.
pub(super) struct Readers {
    path: PathBuf,
    count: usize,
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    idle: Arc<Mutex<Vec<Idle>>>,
    paces: Arc<Paces>,
    timeout: Duration,
}

/// A connection, and where its calls run.
struct Idle {
    connection: SqliteConn,
    calls: SqliteCalls,
}

/// Counts a caller that waits, until it goes on or away.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A reading connection on loan.
pub struct Reader {
    // `None` only while it is being dropped.
    lent: Option<Lent>,
}

struct Lent {
    own: Idle,
    idle: Arc<Mutex<Vec<Idle>>>,
    permit: OwnedSemaphorePermit,
}

impl Readers {
    pub(super) fn new(path: PathBuf, count: usize, timeout: Duration) -> Self {
        Self {
            path,
            count,
            permits: Arc::new(Semaphore::new(count)),
            waiting: AtomicUsize::new(0),
            idle: Arc::default(),
            paces: Arc::default(),
            timeout,
        }
    }

    /// How many connections there are and are in use, and how many callers wait for one.
    pub(super) fn load(&self) -> PoolLoad {
        let in_use = self.count.saturating_sub(self.permits.available_permits());
        let idle = self.idle.lock().len();
        let waiting = self.waiting.load(Ordering::Relaxed);
        PoolLoad { most: self.count, open: in_use + idle, in_use, idle, waiting }
    }

    /// Lends no more; what is lent is closed when it comes back.
    pub(super) fn close(&self) {
        self.permits.close();
        self.idle.lock().clear();
    }

    pub(super) async fn lend(&self) -> Result<Reader, DbError> {
        // Nearly always one is free, and then no timer is made.
        let permit = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(TryAcquireError::Closed) => return Err(DbError::Closed),
            Err(TryAcquireError::NoPermits) => {
                let _waiting = Waiting::begin(&self.waiting);
                tokio::time::timeout(self.timeout, Arc::clone(&self.permits).acquire_owned())
                    .await
                    .map_err(|_| DbError::AcquireTimeout { waited: self.timeout })?
                    .map_err(|_| DbError::Closed)?
            }
        };
        let idle = self.idle.lock().pop();
        let own = match idle {
            Some(own) => own,
            None => {
                let calls = SqliteCalls::of_a_reader(Arc::clone(&self.paces));
                Idle { connection: connect(&self.path, Role::Reader, calls.clone())?, calls }
            }
        };
        Ok(Reader { lent: Some(Lent { own, idle: Arc::clone(&self.idle), permit }) })
    }
}

// Only a reader that is being dropped has no connection, and nothing can reach it then.
impl Deref for Reader {
    type Target = SqliteConn;

    #[expect(clippy::expect_used, reason = "only `drop` takes the connection out")]
    fn deref(&self) -> &SqliteConn {
        &self.lent.as_ref().expect("a reader has its connection until it is dropped").own.connection
    }
}

impl DerefMut for Reader {
    #[expect(clippy::expect_used, reason = "only `drop` takes the connection out")]
    fn deref_mut(&mut self) -> &mut SqliteConn {
        &mut self.lent.as_mut().expect("a reader has its connection until it is dropped").own.connection
    }
}

impl Drop for Reader {
    #[expect(clippy::disallowed_methods, reason = "what is left of a read belongs to no request")]
    fn drop(&mut self) {
        let Some(lent) = self.lent.take() else { return };
        if !lent.own.calls.run_elsewhere() {
            return lent.give_back();
        }
        // Whoever waited for a long query has gone, and it cannot be stopped. It counts among the readers until its end,
        // which must not be waited for here; where the runtime has ended, nobody counts.
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn_blocking(|| lent.give_back());
        }
    }
}

impl Lent {
    fn give_back(mut self) {
        // A closure dropped inside a transaction leaves it open: such a connection is closed, not lent again.
        // Asked through the connection's own lock, which a panic may have poisoned and this clears.
        let broken = |inner: &mut _| Ok(AnsiTransactionManager::is_broken_transaction_manager(inner));
        if let Ok(false) = at_once(&mut self.own.connection, broken)
            && !self.permit.semaphore().is_closed()
        {
            self.idle.lock().push(self.own);
        }
    }
}
