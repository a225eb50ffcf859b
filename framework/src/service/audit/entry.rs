use serde::Serialize;

use crate::{
    service::MethodInfo,
    support::{Id, Timestamp},
};

/// One call of an audited method.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AuditEntry {
    /// Its key.
    pub id: Id<AuditEntry>,
    /// When the call began.
    pub occurred_at: Timestamp,
    /// Who acted; `None` where nobody was logged in, as in a command.
    pub actor: Option<String>,
    /// What they did, by the name that `#[audited]` gives it.
    pub action: &'static str,
    /// The service's trait.
    pub service: &'static str,
    /// The method.
    pub method: &'static str,
    /// Its arguments as `name=value`, by their `Debug`; one marked `#[secret]` is `[secret]`.
    pub arguments: String,
    /// What came of it.
    pub outcome: AuditOutcome,
    /// The error that it returned, as text.
    pub error: Option<String>,
    /// What it was about, before the call, as JSON.
    pub before: Option<String>,
    /// What it was about, after the call, as JSON.
    pub after: Option<String>,
}

/// What came of an audited call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum AuditOutcome {
    /// The method returned, and no error.
    Done,
    /// It returned an error.
    Failed,
    /// It was left half-way: its caller went away, or it panicked. What it had changed by then may be kept.
    Left,
}

impl AuditOutcome {
    /// Its name in the table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Left => "left",
        }
    }
}

impl AuditEntry {
    /// An entry of what has been done elsewhere than in an audited method: by `service` in `method`. One that is written again with
    /// the same key is kept once.
    ///
    /// ```
    /// use paravel::{service::AuditEntry, support::{Id, Timestamp}};
    ///
    /// let mut entry = AuditEntry::done(Id::new(), Timestamp::now(), "order.paid", "Bank", "transfer");
    /// entry.after = Some(r#"{"order": 7}"#.to_owned());
    /// ```
    pub fn done(
        id: Id<Self>,
        occurred_at: Timestamp,
        action: &'static str,
        service: &'static str,
        method: &'static str,
    ) -> Self {
        Self {
            id,
            occurred_at,
            actor: None,
            action,
            service,
            method,
            arguments: String::new(),
            outcome: AuditOutcome::Done,
            error: None,
            before: None,
            after: None,
        }
    }

    /// The entry of a call that begins, and of which nothing more is known.
    pub(super) fn of(method: &'static MethodInfo, action: &'static str, occurred_at: Timestamp) -> Self {
        let MethodInfo { service, name, .. } = *method;
        let outcome = AuditOutcome::Left;
        Self { outcome, ..Self::done(Id::new(), occurred_at, action, service, name) }
    }
}
