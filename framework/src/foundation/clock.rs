use std::sync::{Arc, OnceLock};

use crate::support::{Clock, SystemClock, Timestamp};

/// The clock that the application binds, for what is made before anybody has had a chance to bind another one.
#[derive(Default)]
pub(super) struct BoundClock(OnceLock<Arc<dyn Clock>>);

impl BoundClock {
    pub(super) fn bind(&self, clock: Arc<dyn Clock>) {
        // There is one container, and so one that is bound.
        let _ = self.0.set(clock);
    }
}

impl Clock for BoundClock {
    fn now(&self) -> Timestamp {
        self.0.get().map_or_else(|| SystemClock.now(), |clock| clock.now())
    }
}
