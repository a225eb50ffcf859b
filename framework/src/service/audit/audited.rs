use std::fmt;

use tokio::runtime::Handle;

use super::{AuditEntry, AuditOutcome, Auditor};
use crate::{container::spawn, service::MethodInfo};

/// An audited call that is under way. Dropped before its end, it is written that it was left.
pub struct Audit {
    auditor: Auditor,
    entry: Option<AuditEntry>,
}

impl Audit {
    /// A call begins, with these arguments.
    pub fn begin(
        auditor: &Auditor,
        method: &'static MethodInfo,
        action: &'static str,
        arguments: impl Fn(&mut fmt::Formatter<'_>) -> fmt::Result,
    ) -> Self {
        let mut entry = AuditEntry::of(method, action, auditor.clock.now());
        entry.actor = auditor.who_acts();
        entry.arguments = Shown(arguments).to_string();
        Self { auditor: auditor.clone(), entry: Some(entry) }
    }

    /// What it is about is this, before the call.
    pub fn before(&mut self, state: Option<String>) {
        if let Some(entry) = &mut self.entry {
            entry.before = state;
        }
    }

    /// The call is over. Returns once that is written.
    pub async fn end(mut self, error: Option<String>, after: Option<String>) {
        let Some(mut entry) = self.entry.take() else { return };
        entry.outcome = if error.is_some() { AuditOutcome::Failed } else { AuditOutcome::Done };
        (entry.error, entry.after) = (error, after);
        self.auditor.clone().write(entry).await;
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        if let Some(entry) = self.entry.take()
            && Handle::try_current().is_ok()
        {
            spawn(self.auditor.clone().write(entry));
        }
    }
}

struct Shown<F>(F);

impl<F: Fn(&mut fmt::Formatter<'_>) -> fmt::Result> fmt::Display for Shown<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0(f)
    }
}
