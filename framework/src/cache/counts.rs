use std::{collections::HashMap, time::Duration};

use parking_lot::Mutex;
use tokio::time::Instant;

/// How many counts there are before those that have ended are dropped.
const KEPT: usize = 1024;

/// How many there are at most, some 64 MiB.
const MOST: usize = 1 << 18;

/// The counts of limits, where no store has them. One that is in force is never dropped: whoever makes many could begin
/// somebody's anew. Where there are too many, nothing that is not counted already is let through.
#[derive(Debug)]
pub(super) struct Counts(Mutex<Known>);

#[derive(Debug)]
struct Known {
    counts: HashMap<Box<str>, Count>,
    // From this many on, those that have ended are looked for; not before this moment.
    many: usize,
    not_before: Instant,
}

#[derive(Debug)]
struct Count {
    sum: i64,
    until: Instant,
}

impl Default for Counts {
    fn default() -> Self {
        Self(Mutex::new(Known { counts: HashMap::new(), many: KEPT, not_before: Instant::now() }))
    }
}

impl Counts {
    /// Adds to a count; a new one is kept for `window`. The sum, and for how long it is kept.
    pub(super) fn add(&self, key: &str, by: i64, window: Duration) -> (i64, Duration) {
        let (mut known, now) = (self.0.lock(), Instant::now());
        if let Some(count) = known.counts.get_mut(key).filter(|count| count.until > now) {
            count.sum = count.sum.saturating_add(by);
            return (count.sum, count.until - now);
        }
        known.make_room(now);
        if known.counts.len() >= MOST && !known.counts.contains_key(key) {
            return (i64::MAX, window);
        }
        // An hour that is longer than the clock goes is as good as any.
        let until = now.checked_add(window).unwrap_or(now + Duration::from_secs(1 << 31));
        known.counts.insert(key.into(), Count { sum: by, until });
        (by, window)
    }

    /// What a count is at; 0 where there is none.
    pub(super) fn get(&self, key: &str) -> i64 {
        let (known, now) = (self.0.lock(), Instant::now());
        known.counts.get(key).filter(|count| count.until > now).map_or(0, |count| count.sum)
    }

    /// Begins a count anew.
    pub(super) fn forget(&self, key: &str) {
        self.0.lock().counts.remove(key);
    }
}

impl Known {
    fn make_room(&mut self, now: Instant) {
        if self.counts.len() < self.many || now < self.not_before {
            return;
        }
        self.counts.retain(|_, count| count.until > now);
        self.many = KEPT.max(2 * self.counts.len()).min(MOST);
        if self.counts.len() >= MOST {
            // Before the first of them ends there is nothing to find.
            self.not_before = self.counts.values().map(|count| count.until).min().unwrap_or(now);
            tracing::warn!(counts = MOST, "so many limits are being counted that no further key is let through");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_count_in_force_stays_whoever_makes_others_and_too_many_are_refused() {
        let (counts, minute) = (Counts::default(), Duration::from_secs(60));
        assert_eq!(counts.add("ada", 5, minute), (5, minute));
        let mut refused = 0;
        for number in 0..MOST + 10 {
            refused += usize::from(counts.add(&format!("other {number}"), 1, minute).0 == i64::MAX);
        }
        assert_eq!((counts.get("ada"), refused), (5, 11));
        assert_eq!(counts.add("ada", 1, minute).0, 6);
        tokio::time::advance(minute).await;
        assert_eq!(counts.add("another", 1, minute), (1, minute));
        assert_eq!((counts.get("ada"), counts.0.lock().counts.len()), (0, 1));
    }
}
