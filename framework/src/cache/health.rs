use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use tokio::time::Instant;

use super::store::StoreError;

/// How long a store that failed is left alone, so that not every caller waits for it in vain.
const PAUSE: Duration = Duration::from_millis(500);

/// Whether a store answers, as far as this process knows.
pub(super) struct Health {
    began: Instant,
    // Milliseconds since it began.
    paused_until: AtomicU64,
    is_down: AtomicBool,
    pub(super) failures: AtomicU64,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            paused_until: AtomicU64::new(0),
            is_down: AtomicBool::new(false),
            failures: AtomicU64::new(0),
        }
    }
}

impl Health {
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Whether the store is worth asking.
    pub(super) fn may_ask(&self) -> Result<(), StoreError> {
        let until = self.paused_until.load(Relaxed);
        if until > 0 && until > self.now() {
            return Err(StoreError::unavailable("it failed a moment ago, and is asked again in half a second"));
        }
        Ok(())
    }

    /// Notes that it could not be reached; the first time, the log says so.
    pub(super) fn failed(&self, cache: &str, error: &StoreError) {
        let pause = u64::try_from(PAUSE.as_millis()).unwrap_or(u64::MAX);
        self.paused_until.store(self.now().saturating_add(pause), Relaxed);
        self.failures.fetch_add(1, Relaxed);
        if !self.is_down.swap(true, Relaxed) {
            tracing::warn!(cache, %error, "the cache's store cannot be reached: values are loaded, and locks refused");
        }
    }

    /// Notes that it answers.
    pub(super) fn answered(&self, cache: &str) {
        if self.is_down.load(Relaxed) && self.is_down.swap(false, Relaxed) {
            self.paused_until.store(0, Relaxed);
            tracing::info!(cache, "the cache's store can be reached again");
        }
    }

    /// Whether it failed when it was last asked.
    pub(super) fn is_down(&self) -> bool {
        self.is_down.load(Relaxed)
    }
}
