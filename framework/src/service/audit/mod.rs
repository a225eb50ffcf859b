//! The audit log: who called which method with what, what came of it, and what it changed.

mod audited;
mod database;
mod entry;
mod log;
mod state;

pub use audited::Audit;
pub use database::DatabaseAuditLog;
pub use entry::{AuditEntry, AuditOutcome};
pub use log::{AuditLog, Auditor, WhoActs};
pub(super) use state::json;
pub use state::{State, state_of};
