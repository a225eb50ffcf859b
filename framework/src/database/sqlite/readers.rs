use std::{
    ops::{Deref, DerefMut},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use diesel::connection::{AnsiTransactionManager, TransactionManager as _};
use futures_util::future::FutureExt;
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

use super::{
    SqliteConn,
    driver::{Role, connect},
    writer::on,
};
use crate::database::DbError;

/// The connections that read: opened when first needed, up to a number.
pub(super) struct Readers {
    path: PathBuf,
    permits: Arc<Semaphore>,
    idle: Arc<Mutex<Vec<SqliteConn>>>,
    timeout: Duration,
}

/// A reading connection on loan.
pub struct Reader {
    // `None` only while it is being dropped.
    connection: Option<SqliteConn>,
    idle: Arc<Mutex<Vec<SqliteConn>>>,
    permit: OwnedSemaphorePermit,
}

impl Readers {
    pub(super) fn new(path: PathBuf, count: usize, timeout: Duration) -> Self {
        Self { path, permits: Arc::new(Semaphore::new(count)), idle: Arc::default(), timeout }
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
                tokio::time::timeout(self.timeout, Arc::clone(&self.permits).acquire_owned())
                    .await
                    .map_err(|_| DbError::AcquireTimeout { waited: self.timeout })?
                    .map_err(|_| DbError::Closed)?
            }
        };
        let idle = self.idle.lock().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connect(&self.path, Role::Reader)?,
        };
        Ok(Reader { connection: Some(connection), idle: Arc::clone(&self.idle), permit })
    }
}

// Only a reader that is being dropped has no connection, and nothing can reach it then.
impl Deref for Reader {
    type Target = SqliteConn;

    #[expect(clippy::expect_used, reason = "only `drop` takes the connection out")]
    fn deref(&self) -> &SqliteConn {
        self.connection.as_ref().expect("a reader has its connection until it is dropped")
    }
}

impl DerefMut for Reader {
    #[expect(clippy::expect_used, reason = "only `drop` takes the connection out")]
    fn deref_mut(&mut self) -> &mut SqliteConn {
        self.connection.as_mut().expect("a reader has its connection until it is dropped")
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Some(mut connection) = self.connection.take() {
            // A closure dropped inside a transaction leaves it open: such a connection is closed, not lent again.
            // Asked through the connection's own lock, which a panic may have poisoned and this clears.
            let broken = on(&mut connection, |inner| Ok(AnsiTransactionManager::is_broken_transaction_manager(inner)));
            if let Some(Ok(false)) = broken.now_or_never()
                && !self.permit.semaphore().is_closed()
            {
                self.idle.lock().push(connection);
            }
        }
    }
}
