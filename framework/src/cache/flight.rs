use std::{
    any::Any,
    collections::HashMap,
    hash::BuildHasher,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use parking_lot::{Mutex, MutexGuard};
use quick_cache::DefaultHashBuilder;

use super::tags::Snapshot;

/// Enough that two keys hardly ever wait for each other.
const STRIPES: usize = 64;

type Erased = Box<dyn Any + Send + Sync>;

/// The loads that are under way, by key. Whatever changes an entry holds its key's stripe, so that a value which was loaded
/// before the change is not put in after it.
pub(super) struct Flights {
    stripes: Box<[Mutex<Stripe>]>,
    hasher: DefaultHashBuilder,
}

#[derive(Default)]
pub(super) struct Stripe {
    flights: HashMap<Box<str>, Arc<Flight>>,
    // How many changes there were, of any of its keys.
    changes: u64,
}

/// What was changed of a key's stripe up to now: a value that was fetched since is kept only where nothing was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark(u64);

/// The load of one key's value, for all who wait for it.
pub(super) struct Flight {
    /// Whoever has it loads, if nobody before did.
    pub(super) turn: tokio::sync::Mutex<()>,
    /// What came of it: a value of the cached type, or the loader's error.
    pub(super) outcome: OnceLock<Result<Arc<dyn Any + Send + Sync>, Erased>>,
    /// The versions that the value's tags had before it was loaded.
    pub(super) tags: Snapshot,
    /// The loads that its loader waits for.
    pub(super) waits_for: Mutex<Vec<Arc<Flight>>>,
    // Changed under the stripe's lock alone.
    seats: AtomicUsize,
}

/// A seat in a flight. When the last is given up, the flight is forgotten.
pub(super) struct Seat<'a> {
    flights: &'a Flights,
    key: &'a str,
    pub(super) flight: Arc<Flight>,
}

impl Default for Flights {
    fn default() -> Self {
        Self { stripes: (0..STRIPES).map(|_| Mutex::default()).collect(), hasher: DefaultHashBuilder::default() }
    }
}

impl Flights {
    /// The stripe of a key, for a change of its entry.
    pub(super) fn stripe(&self, key: &str) -> MutexGuard<'_, Stripe> {
        let number = usize::try_from(self.hasher.hash_one(key) % STRIPES as u64).unwrap_or(0);
        self.stripes[number].lock()
    }

    /// A seat in the flight that is under way, or in a new one. One whose tags have been invalidated since it began is left
    /// to those who sit in it.
    pub(super) fn board<'a>(&'a self, key: &'a str, tags: impl FnOnce() -> Snapshot) -> Seat<'a> {
        let mut stripe = self.stripe(key);
        let flight = match stripe.flights.get(key) {
            Some(flight) if flight.tags.is_current() => Arc::clone(flight),
            _ => {
                let flight = Arc::new(Flight {
                    turn: Default::default(),
                    outcome: OnceLock::new(),
                    tags: tags(),
                    waits_for: Mutex::default(),
                    seats: AtomicUsize::new(0),
                });
                stripe.flights.insert(key.into(), Arc::clone(&flight));
                flight
            }
        };
        flight.seats.fetch_add(1, Relaxed);
        drop(stripe);
        Seat { flights: self, key, flight }
    }

    /// Whether a load of this key is under way.
    pub(super) fn is_under_way(&self, key: &str) -> bool {
        self.stripe(key).flights.get(key).is_some_and(|flight| flight.tags.is_current())
    }

    /// A mark, for a value that is about to be fetched.
    pub(super) fn mark(&self, key: &str) -> Mark {
        Mark(self.stripe(key).changes)
    }

    /// Calls `keep` where no key of the stripe was changed since the mark.
    pub(super) fn unless_changed(&self, key: &str, since: Mark, keep: impl FnOnce()) {
        let stripe = self.stripe(key);
        if stripe.changes == since.0 {
            keep();
        }
    }

    /// How many loads are under way.
    pub(super) fn count(&self) -> usize {
        self.stripes.iter().map(|stripe| stripe.lock().flights.len()).sum()
    }

    /// Lets no load that is under way keep its value.
    pub(super) fn cancel_all(&self) {
        for stripe in &self.stripes {
            let mut stripe = stripe.lock();
            stripe.flights.clear();
            stripe.changes += 1;
        }
    }
}

impl Stripe {
    /// Lets the load of this key that is under way not keep its value.
    pub(super) fn cancel(&mut self, key: &str) {
        self.flights.remove(key);
        self.changes += 1;
    }
}

impl Seat<'_> {
    /// Ends the flight: from now on it takes nobody. Calls `keep` where its value is still wanted.
    pub(super) fn land(&self, keep: impl FnOnce()) {
        let mut stripe = self.flights.stripe(self.key);
        if stripe.flights.get(self.key).is_some_and(|there| Arc::ptr_eq(there, &self.flight)) {
            stripe.flights.remove(self.key);
            keep();
        }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        let mut stripe = self.flights.stripe(self.key);
        let was_last = self.flight.seats.fetch_sub(1, Relaxed) == 1;
        if was_last && stripe.flights.get(self.key).is_some_and(|there| Arc::ptr_eq(there, &self.flight)) {
            stripe.flights.remove(self.key);
        }
    }
}
