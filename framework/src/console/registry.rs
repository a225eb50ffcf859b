use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;

use super::{Command, CommandEntry, Part};
use crate::container::{GraphFault, Root};

/// All commands, by name.
#[derive(Clone, Default)]
pub struct Registry {
    entries: Arc<BTreeMap<&'static str, CommandEntry>>,
    duplicates: Arc<[&'static str]>,
}

/// What `list` shows of a command.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct CommandInfo {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
}

impl Registry {
    /// The commands registered by [`command!`](crate::command) in any linked crate, and these.
    pub fn collect(explicit: impl IntoIterator<Item = CommandEntry>) -> Self {
        let mut entries = BTreeMap::new();
        let mut duplicates = Vec::new();
        let registered = inventory::iter::<CommandEntry>.into_iter().copied();
        for entry in registered.chain(explicit) {
            if entries.insert(entry.name, entry).is_some() {
                duplicates.push(entry.name);
            }
        }
        duplicates.sort_unstable();
        Self { entries: Arc::new(entries), duplicates: duplicates.into() }
    }

    /// A registry of this one command, for tests.
    pub fn of<C: Command>() -> Self {
        let entries = BTreeMap::from([(C::NAME, CommandEntry::of::<C>())]);
        Self { entries: Arc::new(entries), ..Self::default() }
    }

    /// The same without the commands that are about a part which the application does not have.
    #[must_use]
    pub fn without(self, part: Part) -> Self {
        let left = self.entries.iter().filter(|(_, entry)| entry.part != Some(part));
        Self { entries: Arc::new(left.map(|(name, entry)| (*name, *entry)).collect()), duplicates: self.duplicates }
    }

    /// What `list` shows.
    pub fn commands(&self) -> Vec<CommandInfo> {
        self.entries.values().map(|entry| CommandInfo { name: entry.name, about: entry.about }).collect()
    }

    /// A fault for each name that two commands have.
    pub fn faults(&self) -> Vec<GraphFault> {
        let faults = self.duplicates.iter();
        faults.map(|name| GraphFault::DuplicateName(format!("two commands are called `{name}`"))).collect()
    }

    /// What the commands need, for verification.
    pub fn roots(&self) -> impl Iterator<Item = Root> {
        self.entries.values().map(|entry| Root {
            kind: "command",
            name: entry.name.to_owned(),
            dependencies: (entry.dependencies)(),
        })
    }

    pub(super) fn get(&self, name: &str) -> Option<CommandEntry> {
        self.entries.get(name).copied()
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &CommandEntry> {
        self.entries.values()
    }
}
