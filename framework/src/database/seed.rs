use std::collections::BTreeMap;

use parking_lot::Mutex;
#[cfg(feature = "factories")]
use sha2::{Digest, Sha256};

/// What made-up rows come from: a number, and how many rows of each name were made of it. The same number gives the same
/// rows in the same order, ids and times included, on every machine and however they are chunked.
///
/// A command and a test have one each, bound in their scope. `db:seed --seed` sets its number.
///
/// ```
/// use paravel::database::Seed;
///
/// assert_eq!(Seed::default().number(), Seed::DEFAULT);
/// assert_eq!(Seed::new(7).number(), 7);
/// ```
#[derive(Debug)]
pub struct Seed(Mutex<State>);

#[derive(Debug)]
struct State {
    number: u64,
    #[cfg_attr(not(feature = "factories"), expect(dead_code, reason = "factories alone make rows"))]
    made: BTreeMap<&'static str, u64>,
}

impl Seed {
    /// The number where none is given.
    pub const DEFAULT: u64 = 1;

    /// A seed of this number, of which nothing was made yet.
    pub fn new(number: u64) -> Self {
        Self(Mutex::new(State { number, made: BTreeMap::new() }))
    }

    /// Its number.
    pub fn number(&self) -> u64 {
        self.0.lock().number
    }

    /// Starts anew with this number, as if nothing had been made of it.
    pub fn restart(&self, number: u64) {
        *self.0.lock() = State { number, made: BTreeMap::new() };
    }

    /// Takes the places of the next `count` rows of this name, for nobody else: what their randomness comes from, and
    /// the first one's number.
    #[cfg(feature = "factories")]
    pub(super) fn take(&self, name: &'static str, count: u64) -> ([u8; 32], u64) {
        let mut state = self.0.lock();
        let key = Sha256::new().chain_update(state.number.to_le_bytes()).chain_update(name).finalize();
        let made = state.made.entry(name).or_default();
        let first = *made;
        *made = first.saturating_add(count);
        (key.into(), first)
    }
}

impl Default for Seed {
    fn default() -> Self {
        Self::new(Self::DEFAULT)
    }
}
