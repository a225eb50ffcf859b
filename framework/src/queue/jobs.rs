use std::collections::{BTreeMap, BTreeSet};

use parking_lot::Mutex;

use super::JobEntry;
use crate::container::{GraphFault, Root};

/// How many unknown kinds are told apart.
const MOST_UNKNOWN: usize = 100;

/// The kinds of jobs that this application knows.
#[derive(Default)]
pub struct Jobs {
    entries: BTreeMap<&'static str, JobEntry>,
    duplicates: Vec<&'static str>,
    // Said of once each.
    unknown: Mutex<BTreeSet<String>>,
}

impl Jobs {
    /// Those registered by [`job!`](crate::job) in any linked crate, and these.
    pub fn collect(explicit: impl IntoIterator<Item = JobEntry>) -> Self {
        let mut jobs = Self::default();
        for entry in inventory::iter::<JobEntry>.into_iter().copied().chain(explicit) {
            if jobs.entries.insert(entry.name, entry).is_some() {
                jobs.duplicates.push(entry.name);
            }
        }
        jobs.duplicates.sort_unstable();
        jobs
    }

    /// The kind of this name.
    pub fn find(&self, name: &str) -> Option<JobEntry> {
        self.entries.get(name).copied()
    }

    /// The names of all kinds.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.entries.keys().copied()
    }

    /// Says, once, that jobs of a kind are in the queue which this application does not know.
    pub(super) fn report_unknown(&self, kind: &str) {
        let mut unknown = self.unknown.lock();
        // Whoever fills the queue with made-up names does not fill the memory.
        if unknown.len() < MOST_UNKNOWN && unknown.insert(kind.to_owned()) {
            tracing::error!(kind, "jobs of a kind that is not known here are left to other workers");
        }
    }

    /// A fault for each name that two kinds have.
    pub fn faults(&self) -> Vec<GraphFault> {
        let faults = self.duplicates.iter();
        faults.map(|name| GraphFault::DuplicateName(format!("two jobs are called `{name}`"))).collect()
    }

    /// What they need, for verification.
    pub fn roots(&self) -> impl Iterator<Item = Root> {
        self.entries.values().map(JobEntry::root)
    }
}
