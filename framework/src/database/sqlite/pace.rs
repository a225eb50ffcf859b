use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use crate::database::Source;

/// What is longer than this must not keep a thread of the runtime from its other tasks. To change threads costs a tenth
/// of it, so what is shorter should not.
const LONG: Duration = Duration::from_micros(200);

/// How many calls in a row have to be short before the next is trusted.
const LEAST: u32 = 16;

/// The same for who has been long most often.
const MOST: u32 = 4096;

/// What may be no fault of the query's: on a busy machine a thread loses its core for about as long.
const HICCUP: Duration = Duration::from_millis(10);

/// How many short calls make up for one hiccup.
const RARE: u32 = 64;

/// More than an application has places that read.
const SLOTS: usize = 1024;

/// How long the queries of each place in the source have been: what has been short for long enough is expected to stay so.
///
/// The places share a fixed number of slots. Two in one slot are judged together, which costs the shorter one its speed and
/// nothing else.
pub(super) struct Paces(Box<[AtomicU64]>);

/// What is known of one place.
#[derive(Clone, Copy)]
struct Pace {
    /// How many calls were short since the last long one.
    short: u32,
    /// How many have to be.
    needed: u32,
}

impl Default for Paces {
    fn default() -> Self {
        let nothing = Pace { short: 0, needed: LEAST }.pack();
        Self((0..SLOTS).map(|_| AtomicU64::new(nothing)).collect())
    }
}

impl Paces {
    /// Whether the next query of this place is expected to be short.
    pub(super) fn is_short(&self, source: Source) -> bool {
        let pace = Pace::unpack(self.slot(source).load(Ordering::Relaxed));
        pace.short >= pace.needed
    }

    /// Notes how long a query took, and whether it was expected to be short.
    pub(super) fn took(&self, source: Source, elapsed: Duration, trusted: bool) {
        let slot = self.slot(source);
        // Two at once may lose one note of the two, which is as well.
        let pace = Pace::unpack(slot.load(Ordering::Relaxed));
        slot.store(pace.after(elapsed, trusted).pack(), Ordering::Relaxed);
    }

    fn slot(&self, source: Source) -> &AtomicU64 {
        // Fibonacci hashing: the upper bits of a product with the golden ratio.
        let hash = source.address().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - SLOTS.ilog2());
        &self.0[usize::try_from(hash).unwrap_or(0)]
    }
}

impl Pace {
    fn after(self, elapsed: Duration, trusted: bool) -> Self {
        let Self { short, needed } = self;
        if elapsed < LONG {
            let short = short.saturating_add(1);
            // Long calls that are rare are noise, and forgotten.
            return match needed > LEAST && short >= needed.saturating_mul(8) {
                true => Self { short: needed / 2, needed: needed / 2 },
                false => Self { short, needed },
            };
        }
        if !trusted {
            return Self { short: 0, needed };
        }
        if elapsed < HICCUP && short >= needed.saturating_add(RARE) {
            return Self { short: needed, needed };
        }
        // The longer it kept a thread, the longer it is not trusted again.
        let times = u32::try_from(elapsed.as_micros() / LONG.as_micros()).unwrap_or(MOST);
        let longer = needed.saturating_mul(2).max(LEAST.saturating_mul(times));
        Self { short: 0, needed: longer.min(MOST) }
    }

    fn pack(self) -> u64 {
        u64::from(self.short) << 32 | u64::from(self.needed)
    }

    fn unpack(packed: u64) -> Self {
        let half = |bits: u64| u32::try_from(bits & u64::from(u32::MAX)).unwrap_or(0);
        Self { short: half(packed >> 32), needed: half(packed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_micros(5);

    /// How many calls it takes until the next is trusted.
    fn until_trusted(paces: &Paces, source: Source) -> u32 {
        let mut calls = 0;
        while !paces.is_short(source) {
            paces.took(source, SHORT, false);
            calls += 1;
        }
        calls
    }

    #[test]
    fn what_is_not_known_is_not_trusted_and_what_was_short_often_is() {
        let paces = Paces::default();
        let (one, other) = (Source::caller(), Source::caller());
        assert_eq!(until_trusted(&paces, one), LEAST);
        assert!(!paces.is_short(other));
    }

    #[test]
    fn a_long_call_costs_the_trust_and_the_longer_the_more() {
        let paces = Paces::default();
        let source = Source::caller();
        until_trusted(&paces, source);
        paces.took(source, LONG, true);
        assert_eq!(until_trusted(&paces, source), 2 * LEAST);
        paces.took(source, Duration::from_millis(20), true);
        assert_eq!(until_trusted(&paces, source), 100 * LEAST);
        paces.took(source, Duration::from_secs(60), true);
        assert_eq!(until_trusted(&paces, source), MOST);
        // One that nobody waited for takes back what was proved, and asks for no more.
        paces.took(source, Duration::from_secs(60), false);
        assert_eq!(until_trusted(&paces, source), MOST);
    }

    #[test]
    fn long_calls_that_are_rare_are_forgotten() {
        let paces = Paces::default();
        let source = Source::caller();
        until_trusted(&paces, source);
        paces.took(source, 8 * LONG, true);
        for _ in 0..MOST {
            paces.took(source, SHORT, true);
        }
        for _ in 0..2 {
            paces.took(source, LONG, true);
        }
        assert_eq!(until_trusted(&paces, source), 2 * LEAST);
    }

    #[test]
    fn one_hiccup_among_many_short_calls_is_forgiven_and_a_second_soon_after_is_not() {
        let paces = Paces::default();
        let source = Source::caller();
        until_trusted(&paces, source);
        for _ in 0..RARE {
            paces.took(source, SHORT, true);
        }
        paces.took(source, HICCUP - SHORT, true);
        assert!(paces.is_short(source));
        paces.took(source, LONG, true);
        assert!(!paces.is_short(source));
        // What is longer than that is never forgiven.
        until_trusted(&paces, source);
        for _ in 0..10 * RARE {
            paces.took(source, SHORT, true);
        }
        paces.took(source, HICCUP, true);
        assert!(!paces.is_short(source));
    }

    #[test]
    fn a_place_that_is_long_now_and_then_is_hardly_ever_trusted() {
        let paces = Paces::default();
        let source = Source::caller();
        let kept = (0..10_000).filter(|turn| {
            let trusted = paces.is_short(source);
            let long = turn % 20 == 0;
            paces.took(source, if long { Duration::from_millis(100) } else { SHORT }, trusted);
            long && trusted
        });
        assert!(kept.count() <= 1, "a runtime's thread was kept more than once");
    }
}
