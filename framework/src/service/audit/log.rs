use std::sync::Arc;

use futures_util::future::BoxFuture;

use super::AuditEntry;
use crate::{
    container::spawn,
    database::{after_commit, in_transaction},
    support::{BoxError, Clock},
};

/// Where audited calls are written. An application with a database has a [`DatabaseAuditLog`](super::DatabaseAuditLog); another
/// one is bound by `replace`.
///
/// ```
/// use futures_util::future::{BoxFuture, FutureExt};
/// use paravel::{service::{AuditEntry, AuditLog}, support::BoxError};
///
/// struct Printed;
///
/// impl AuditLog for Printed {
///     fn write(&self, entry: AuditEntry) -> BoxFuture<'_, Result<(), BoxError>> {
///         async move {
///             println!("{:?} did {}", entry.actor, entry.action);
///             Ok(())
///         }
///         .boxed()
///     }
/// }
/// ```
pub trait AuditLog: Send + Sync {
    /// Keeps an entry; one that it has already, by its key, once.
    fn write(&self, entry: AuditEntry) -> BoxFuture<'_, Result<(), BoxError>>;
}

/// Knows who acts. `auth::Gate` does, by the scope.
pub trait WhoActs: Send + Sync {
    /// Who acts where this is called.
    fn who_acts(&self) -> Option<String>;
}

/// What audited calls are written by.
#[derive(Clone)]
pub struct Auditor {
    log: Arc<dyn AuditLog>,
    who: Arc<dyn WhoActs>,
    pub(super) clock: Arc<dyn Clock>,
}

impl Auditor {
    /// Writes to this log.
    pub fn new(log: Arc<dyn AuditLog>, who: Arc<dyn WhoActs>, clock: Arc<dyn Clock>) -> Self {
        Self { log, who, clock }
    }

    pub(super) fn who_acts(&self) -> Option<String> {
        self.who.who_acts()
    }

    /// Writes an entry: where a transaction is open, after its commit. It goes on where the caller goes away, and one that
    /// fails is logged: what it tells of has happened.
    pub(super) async fn write(self, entry: AuditEntry) {
        let log = self.log;
        let write = async move {
            let (action, id) = (entry.action, entry.id);
            if let Err(error) = log.write(entry).await {
                tracing::error!(action, %id, error = &*error, "what was done could not be written to the audit log");
            }
        };
        if in_transaction() {
            // There is an application, as there is a transaction of it.
            let _ = after_commit(write).await;
        } else {
            // It fails only where the runtime is being shut down.
            let _ = spawn(write).await;
        }
    }
}
