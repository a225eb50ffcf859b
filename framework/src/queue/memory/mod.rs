//! The queues of one process.

mod admin;
mod state;

use std::{collections::HashSet, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt, ready};
use parking_lot::Mutex;
use tokio::{sync::Notify, time::timeout};

use super::{Beat, Driver, DriverError, Durability, Orders, Push, Pushed, QueueAdmin, Tended, Turn, Turned};
use crate::support::Clock;
use state::{Alive, State};

/// The queues of this process, gone with it. It is also what the other drivers are held against.
pub struct MemoryDriver {
    state: Mutex<State>,
    pushed: Notify,
    clock: Arc<dyn Clock>,
}

impl MemoryDriver {
    /// Empty queues, with this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { state: Mutex::default(), pushed: Notify::new(), clock }
    }
}

fn answer<'a, T: Send + 'a>(answer: T) -> BoxFuture<'a, Result<T, DriverError>> {
    ready(Ok(answer)).boxed()
}

impl Driver for MemoryDriver {
    fn push(&self, push: Push) -> BoxFuture<'_, Result<Vec<Pushed>, DriverError>> {
        let pushed = self.state.lock().push(push, self.clock.now());
        self.pushed.notify_waiters();
        answer(pushed)
    }

    fn turn<'a>(&'a self, turn: Turn<'a>) -> BoxFuture<'a, Result<Turned, DriverError>> {
        let Turn { worker, ends, queues, most } = turn;
        let now = self.clock.now();
        // What went back, or follows, may be for another worker.
        let is_news = ends.iter().any(|end| !end.is_plain());
        let mut state = self.state.lock();
        let settled = ends.iter().map(|end| state.settle(end, now)).collect();
        let claimed = state.claim(worker, queues, most);
        drop(state);
        if is_news {
            self.pushed.notify_waiters();
        }
        answer(Turned { settled, claimed })
    }

    fn beat<'a>(&'a self, beat: Beat<'a>) -> BoxFuture<'a, Result<Orders, DriverError>> {
        let mut state = self.state.lock();
        if beat.lives.is_zero() {
            state.workers.remove(&beat.worker);
            state.rescue(&HashSet::from([beat.worker]), false);
            self.pushed.notify_waiters();
        } else {
            let status = Bytes::copy_from_slice(beat.status);
            let since = state.go_on();
            state.workers.insert(beat.worker, Alive { since, lives: beat.lives, status });
        }
        answer(Orders { restart: state.restart })
    }

    fn tend<'a>(&'a self, queues: &'a [String]) -> BoxFuture<'a, Result<Tended, DriverError>> {
        let tended = self.state.lock().tend(queues, self.clock.now());
        if tended.due + tended.rescued > 0 {
            self.pushed.notify_waiters();
        }
        answer(tended)
    }

    fn wait<'a>(&'a self, queues: &'a [String], longest: Duration) -> BoxFuture<'a, ()> {
        let mut pushed = Box::pin(self.pushed.notified());
        // Before the look, so that what is pushed right after it is heard.
        pushed.as_mut().enable();
        let is_ready = {
            let state = self.state.lock();
            let mut queues = queues.iter().filter_map(|name| state.queues.get(name));
            queues.any(|queue| !queue.paused && queue.ready.iter().any(|ready| !ready.is_empty()))
        };
        async move {
            if !is_ready {
                let _ = timeout(longest, pushed).await;
            }
        }
        .boxed()
    }

    fn durability(&self) -> BoxFuture<'_, Result<Durability, DriverError>> {
        answer(Durability::Process)
    }

    fn admin(&self) -> &dyn QueueAdmin {
        self
    }
}
