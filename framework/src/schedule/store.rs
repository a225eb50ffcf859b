use std::{fmt, sync::Arc, time::Duration};

use super::Fence;
use crate::cache::{Cache, Lock};

/// For how long a run's lock is held without a word from who has it.
pub(super) const LEASE: Duration = Duration::from_secs(20);

/// Where schedulers agree: on who takes a run, and on what still runs.
#[derive(Clone)]
pub struct ScheduleStore {
    fence: Arc<dyn Fence>,
    locks: Cache,
    is_shared: bool,
}

impl fmt::Debug for ScheduleStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { locks, is_shared, .. } = self;
        f.debug_struct("ScheduleStore").field("locks", locks).field("is_shared", is_shared).finish_non_exhaustive()
    }
}

impl ScheduleStore {
    /// This fence, and the locks of this cache, which all processes share.
    pub fn new(fence: Arc<dyn Fence>, locks: Cache) -> Self {
        Self { fence, locks, is_shared: true }
    }

    /// The same, known to be this process's alone.
    #[must_use]
    pub fn of_this_process(self) -> Self {
        Self { is_shared: false, ..self }
    }

    /// Whether other processes have it, too.
    pub fn is_shared(&self) -> bool {
        self.is_shared
    }

    pub(super) fn fence(&self) -> &dyn Fence {
        &*self.fence
    }

    pub(super) fn lock(&self, task: &str) -> Lock {
        self.locks.lock(&format!("schedule:{task}"), LEASE)
    }
}
