use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

/// How long what a store still has is left alone once it is back. Whoever changed something meanwhile tells it as soon as they reach
/// it: within two seconds, by the pauses between attempts to connect and after a store that failed.
const LEFT_ALONE: Duration = Duration::from_secs(5);

/// Whether a store was away, by what this process hears of others' changes. What others could not tell it then they tell it once it
/// is back, and until they have, it gives out what is old.
#[derive(Default)]
pub(super) struct Absence(Mutex<State>);

#[derive(Default, Clone, Copy)]
enum State {
    #[default]
    None,
    Away,
    BackSince(Instant),
}

impl Absence {
    /// Notes that nothing is heard any more.
    pub(super) fn begins(&self) {
        *self.0.lock() = State::Away;
    }

    /// Notes that changes are heard of from now on.
    pub(super) fn ends(&self) {
        let mut state = self.0.lock();
        if matches!(*state, State::Away) {
            *state = State::BackSince(Instant::now());
        }
    }

    /// Whether nobody may have told the store yet that what it has is old.
    pub(super) fn is_recent(&self) -> bool {
        match *self.0.lock() {
            State::None => false,
            State::Away => true,
            State::BackSince(back) => back.elapsed() < LEFT_ALONE,
        }
    }
}
