use std::sync::Arc;

use paravel::{
    listener,
    queue::JobRun,
    serde_json,
    service::{AuditEntry, AuditLog},
    support::{BoxError, Id},
};

use crate::events::UserRegistered;

/// Writes to the audit log who registered, and by whom. It is queued in the transaction that adds the user: where the queue is in the
/// same database, or reached by the outbox in it, there is no entry without a user, and a user without an entry only where the job is
/// given up: it failed for good and `queue:flush` dropped it, say. A queue in memory is lost with its process, and the entries with
/// it. The job's key is the entry's, so that it is written once, however often it is tried.
#[listener(name = "registration-audit", queue = "audit", tries = 10, backoff = ["1s", "10s", "1m", "10m"])]
pub async fn audit_registration(event: &UserRegistered, log: Arc<dyn AuditLog>) -> Result<(), BoxError> {
    let id = JobRun::current().map_or_else(Id::new, |run| Id::from_uuid(run.id().uuid()));
    let at = event.user.made_at();
    let mut entry = AuditEntry::done(id, at, "user.registered", "UserService", "create");
    entry.actor = event.by.map(|by| by.to_string());
    entry.after = Some(serde_json::to_string(event)?);
    log.write(entry).await
}
