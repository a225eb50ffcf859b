use std::collections::{BTreeMap, BTreeSet};

use parking_lot::Mutex;

use super::JobEntry;
use crate::container::{GraphFault, Root};

/// How many unknown kinds are told apart.
const MOST_UNKNOWN: usize = 100;

/// The kinds of jobs that this application knows.
#[derive(Default)]
pub struct Jobs {
    entries: BTreeMap<String, JobEntry>,
    duplicates: Vec<String>,
    // Said of once each.
    unknown: Mutex<BTreeSet<String>>,
}

impl Jobs {
    /// Those registered by [`job`](crate::job) in any linked crate, and these.
    pub fn collect(explicit: impl IntoIterator<Item = JobEntry>) -> Self {
        let mut jobs = Self::default();
        for entry in inventory::iter::<JobEntry>.into_iter().cloned().chain(explicit) {
            let name = entry.name().to_owned();
            if jobs.entries.insert(name.clone(), entry).is_some() {
                jobs.duplicates.push(name);
            }
        }
        jobs.duplicates.sort_unstable();
        jobs
    }

    /// This one alone.
    pub(super) fn only(entry: JobEntry) -> Self {
        Self { entries: BTreeMap::from([(entry.name().to_owned(), entry)]), ..Self::default() }
    }

    /// The kind of this name.
    pub fn find(&self, name: &str) -> Option<&JobEntry> {
        self.entries.get(name)
    }

    /// The names of all kinds.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// The queues that their jobs wait in where nothing else is said: `default`, and then the others by name.
    pub fn queues(&self) -> Vec<String> {
        let queues: BTreeSet<_> =
            self.entries.values().map(JobEntry::queue).filter(|name| *name != "default").collect();
        ["default"].into_iter().chain(queues).map(str::to_owned).collect()
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
        let fault = |name: &String| {
            let remedy = "give one of them another name, by `name = \"..\"` in its `#[job(..)]` or `#[listener(..)]`";
            GraphFault::DuplicateName(format!("two jobs are called `{name}`: {remedy}"))
        };
        self.duplicates.iter().map(fault).collect()
    }

    /// What they need, for verification.
    pub fn roots(&self) -> impl Iterator<Item = Root> {
        self.entries.values().map(JobEntry::root)
    }
}
