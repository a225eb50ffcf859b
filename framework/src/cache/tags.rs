use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::Mutex;

/// How many tags are known before those that no entry has are dropped.
const KEPT: usize = 1024;

/// A tag's version, which every entry that has the tag points to.
#[derive(Debug, Default)]
struct Version(AtomicU64);

/// The versions of all tags that entries have. To invalidate a tag changes a number; entries find out when they are read.
#[derive(Debug)]
pub(super) struct Tags(Mutex<Known>);

#[derive(Debug)]
struct Known {
    versions: HashMap<Box<str>, Arc<Version>>,
    // From this many on, the unused are looked for.
    many: usize,
}

/// The versions that some tags had at one moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Snapshot(Box<[(Arc<Version>, u64)]>);

impl Default for Tags {
    fn default() -> Self {
        Self(Mutex::new(Known { versions: HashMap::new(), many: KEPT }))
    }
}

impl Tags {
    /// The versions that these tags have now.
    pub(super) fn snapshot(&self, tags: &[Box<str>]) -> Snapshot {
        if tags.is_empty() {
            return Snapshot::default();
        }
        let mut known = self.0.lock();
        let versions = tags.iter().map(|tag| {
            let version = known.version(tag);
            let now = version.0.load(Ordering::Acquire);
            (version, now)
        });
        Snapshot(versions.collect())
    }

    /// Makes every snapshot with one of these tags one of the past.
    pub(super) fn invalidate<'a>(&self, tags: impl IntoIterator<Item = &'a str>) {
        let known = self.0.lock();
        for tag in tags {
            // One that is not known has no entries, and nothing being loaded.
            if let Some(version) = known.versions.get(tag) {
                version.0.fetch_add(1, Ordering::AcqRel);
            }
        }
    }
}

impl Known {
    fn version(&mut self, tag: &str) -> Arc<Version> {
        if let Some(version) = self.versions.get(tag) {
            return Arc::clone(version);
        }
        if self.versions.len() >= self.many {
            // A version that a snapshot points to must not begin anew, or what was invalidated would be valid again.
            self.versions.retain(|_, version| Arc::strong_count(version) > 1);
            self.many = KEPT.max(2 * self.versions.len());
        }
        Arc::clone(self.versions.entry(tag.into()).or_default())
    }
}

impl Snapshot {
    /// Whether none of its tags has been invalidated since.
    #[inline]
    pub(super) fn is_current(&self) -> bool {
        self.0.iter().all(|(version, then)| version.0.load(Ordering::Acquire) == *then)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_that_nothing_has_are_dropped_and_those_of_entries_never() {
        let tags = Tags::default();
        let held = tags.snapshot(&["held".into()]);
        for number in 0..10 * KEPT {
            tags.snapshot(&[format!("tag {number}").into()]);
        }
        assert!(tags.0.lock().versions.len() <= KEPT + 1);
        assert!(held.is_current());
        tags.invalidate(["held", "never seen"]);
        assert!(!held.is_current());
        assert!(tags.snapshot(&["held".into()]).is_current());
    }
}
