use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque},
    sync::Arc,
    time::Duration,
};

use futures_util::future::{BoxFuture, FutureExt, ready};
use parking_lot::Mutex;
use tokio::{
    sync::Notify,
    time::{Instant, timeout},
};
use uuid::Uuid;

use super::{
    JobId, Message, UniqueUntil,
    driver::{
        Claim, Claimed, Depth, Driver, DriverError, Durability, FailedJob, FailedJobs, Outcome, Pushed, Settled,
        Settlement, Tended, Token,
    },
    message::Priority,
};
use crate::support::{Clock, Timestamp};

/// The queues of this process, gone with it. It is also what the other drivers are held against.
pub struct MemoryDriver {
    state: Mutex<State>,
    pushed: Notify,
    clock: Arc<dyn Clock>,
}

#[derive(Default)]
struct State {
    queues: HashMap<String, Waiting>,
    running: HashMap<JobId, Running>,
    workers: HashMap<Uuid, Instant>,
    unique: HashMap<String, Taken>,
    failed: BTreeMap<JobId, FailedJob>,
    // Of those that are scheduled at one moment, the first that came is the first to go.
    sequence: u64,
    tokens: Token,
}

#[derive(Default)]
struct Waiting {
    ready: [VecDeque<Held>; Priority::ALL.len()],
    scheduled: BTreeMap<(Timestamp, u64), Held>,
}

/// A message and what happened to it.
#[derive(Clone)]
struct Held {
    message: Message,
    attempts: u32,
    crashes: u32,
}

struct Running {
    held: Held,
    token: Token,
    worker: Uuid,
}

/// Who has a unique key, and until when at the latest.
struct Taken {
    by: JobId,
    until: Timestamp,
}

impl MemoryDriver {
    /// Empty queues, with this clock.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { state: Mutex::default(), pushed: Notify::new(), clock }
    }
}

impl State {
    fn make_ready(&mut self, held: Held) {
        let queue = self.queues.entry(held.message.queue.clone()).or_default();
        queue.ready[held.message.priority as usize].push_back(held);
    }

    /// Puts a message where it waits: until that moment, where it is yet to come.
    fn put(&mut self, held: Held, due: Option<Timestamp>, now: Timestamp) {
        match due.filter(|due| *due > now) {
            None => self.make_ready(held),
            Some(due) => {
                self.sequence += 1;
                let queue = self.queues.entry(held.message.queue.clone()).or_default();
                queue.scheduled.insert((due, self.sequence), held);
            }
        }
    }

    /// Takes a message's unique key; whether it could.
    fn take_key(&mut self, message: &Message, now: Timestamp) -> bool {
        let Some(unique) = &message.unique else { return true };
        if self.unique.get(&unique.key).is_some_and(|taken| taken.until > now && taken.by != message.id) {
            return false;
        }
        let until = now.plus(unique.lasts);
        self.unique.insert(unique.key.clone(), Taken { by: message.id, until });
        true
    }

    /// Gives a message's unique key back, where it is still the message's.
    fn give_key(&mut self, message: &Message) {
        if let Some(unique) = &message.unique
            && self.unique.get(&unique.key).is_some_and(|taken| taken.by == message.id)
        {
            self.unique.remove(&unique.key);
        }
    }

    fn claim(&mut self, claim: Claim<'_>) -> Vec<Claimed> {
        let mut claimed = Vec::new();
        for name in claim.queues {
            while claimed.len() < claim.most {
                let Some(queue) = self.queues.get_mut(name) else { break };
                let Some(mut held) = queue.ready.iter_mut().find_map(VecDeque::pop_front) else { break };
                held.attempts += 1;
                self.tokens += 1;
                let token = self.tokens;
                if held.message.unique.as_ref().is_some_and(|unique| unique.until == UniqueUntil::Start) {
                    self.give_key(&held.message);
                }
                let Held { message, attempts, crashes } = held.clone();
                claimed.push(Claimed { message, token, attempt: attempts, crashes });
                self.running.insert(held.message.id, Running { held, token, worker: claim.worker });
            }
        }
        claimed
    }

    fn settle(&mut self, settlement: Settlement, now: Timestamp) -> Settled {
        let Settlement { id, token, outcome, .. } = settlement;
        if self.running.get(&id).is_none_or(|running| running.token != token) {
            return Settled::Stale;
        }
        let Some(Running { mut held, .. }) = self.running.remove(&id) else { return Settled::Stale };
        match outcome {
            Outcome::Done => self.give_key(&held.message),
            Outcome::Retry { due } => self.put(held, Some(due), now),
            Outcome::Release { due, payload } => {
                held.attempts -= 1;
                if let Some(payload) = payload {
                    held.message.payload = payload;
                }
                self.put(held, due, now);
            }
            Outcome::Fail { error, at } => {
                self.give_key(&held.message);
                let Held { message, attempts, .. } = held;
                self.failed.insert(id, FailedJob { message, error, failed_at: at, attempts });
            }
        }
        Settled::Done
    }

    /// Makes ready what these workers hold.
    fn rescue(&mut self, gone: &HashSet<Uuid>, crashed: bool) -> u64 {
        let left: Vec<_> =
            self.running.iter().filter(|(_, running)| gone.contains(&running.worker)).map(|(id, _)| *id).collect();
        for id in &left {
            if let Some(Running { mut held, .. }) = self.running.remove(id) {
                match crashed {
                    true => held.crashes += 1,
                    false => held.attempts -= 1,
                }
                self.make_ready(held);
            }
        }
        u64::try_from(left.len()).unwrap_or(u64::MAX)
    }

    fn tend(&mut self, queues: &[String], now: Timestamp) -> Tended {
        let mut tended = Tended::default();
        let alive = Instant::now();
        let gone: HashSet<_> =
            self.workers.iter().filter(|(_, until)| **until <= alive).map(|(worker, _)| *worker).collect();
        self.workers.retain(|worker, _| !gone.contains(worker));
        // A worker that never said it was alive is none.
        let unknown = self.running.values().map(|running| running.worker).filter(|w| !self.workers.contains_key(w));
        let gone = gone.iter().copied().chain(unknown).collect();
        tended.rescued = self.rescue(&gone, true);
        for name in queues {
            let Some(queue) = self.queues.get_mut(name) else { continue };
            while let Some(entry) = queue.scheduled.first_entry() {
                let due = entry.key().0;
                if due > now {
                    let wait = (due.utc() - now.utc()).to_std().unwrap_or_default();
                    tended.next = Some(tended.next.map_or(wait, |next| next.min(wait)));
                    break;
                }
                let held = entry.remove();
                queue.ready[held.message.priority as usize].push_back(held);
                tended.due += 1;
            }
        }
        self.unique.retain(|_, taken| taken.until > now);
        tended
    }
}

fn answer<'a, T: Send + 'a>(answer: T) -> BoxFuture<'a, Result<T, DriverError>> {
    ready(Ok(answer)).boxed()
}

impl Driver for MemoryDriver {
    fn push(&self, messages: Vec<Message>) -> BoxFuture<'_, Result<Vec<Pushed>, DriverError>> {
        let now = self.clock.now();
        let mut state = self.state.lock();
        let pushed = messages.into_iter().map(|message| {
            if !state.take_key(&message, now) {
                return Pushed::Duplicate;
            }
            let due = message.due;
            state.put(Held { message, attempts: 0, crashes: 0 }, due, now);
            Pushed::Stored
        });
        let pushed = pushed.collect();
        drop(state);
        self.pushed.notify_waiters();
        answer(pushed)
    }

    fn claim<'a>(&'a self, claim: Claim<'a>) -> BoxFuture<'a, Result<Vec<Claimed>, DriverError>> {
        answer(self.state.lock().claim(claim))
    }

    fn settle(&self, settlements: Vec<Settlement>) -> BoxFuture<'_, Result<Vec<Settled>, DriverError>> {
        let now = self.clock.now();
        let mut state = self.state.lock();
        let settled = settlements.into_iter().map(|settlement| state.settle(settlement, now)).collect();
        drop(state);
        // What was released may be for another worker.
        self.pushed.notify_waiters();
        answer(settled)
    }

    fn beat(&self, worker: Uuid, lives: Duration) -> BoxFuture<'_, Result<(), DriverError>> {
        let mut state = self.state.lock();
        match lives.is_zero() {
            true => {
                state.workers.remove(&worker);
                state.rescue(&HashSet::from([worker]), false);
                drop(state);
                self.pushed.notify_waiters();
            }
            false => drop(state.workers.insert(worker, Instant::now() + lives)),
        }
        answer(())
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
            let ready =
                |name: &String| state.queues.get(name).is_some_and(|queue| queue.ready.iter().any(|r| !r.is_empty()));
            queues.iter().any(ready)
        };
        async move {
            if !is_ready {
                let _ = timeout(longest, pushed).await;
            }
        }
        .boxed()
    }

    fn depth<'a>(&'a self, queue: &'a str) -> BoxFuture<'a, Result<Depth, DriverError>> {
        let state = self.state.lock();
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let (ready, scheduled) = state
            .queues
            .get(queue)
            .map_or((0, 0), |queue| (queue.ready.iter().map(VecDeque::len).sum(), queue.scheduled.len()));
        let running = state.running.values().filter(|running| running.held.message.queue == queue).count();
        answer(Depth { ready: count(ready), scheduled: count(scheduled), running: count(running) })
    }

    fn clear<'a>(&'a self, queue: &'a str) -> BoxFuture<'a, Result<u64, DriverError>> {
        let mut state = self.state.lock();
        let Some(waiting) = state.queues.remove(queue) else { return answer(0) };
        let all: Vec<_> = waiting.ready.into_iter().flatten().chain(waiting.scheduled.into_values()).collect();
        all.iter().for_each(|held| state.give_key(&held.message));
        answer(u64::try_from(all.len()).unwrap_or(u64::MAX))
    }

    fn failed(&self) -> &dyn FailedJobs {
        self
    }

    fn durability(&self) -> Durability {
        Durability::Process
    }
}

impl FailedJobs for MemoryDriver {
    fn list<'a>(&'a self, only: Option<&'a [JobId]>) -> BoxFuture<'a, Result<Vec<FailedJob>, DriverError>> {
        let state = self.state.lock();
        let wanted = |id: &JobId| only.is_none_or(|only| only.contains(id));
        let mut failed: Vec<_> = state.failed.iter().filter(|(id, _)| wanted(id)).map(|(_, job)| job.clone()).collect();
        failed.sort_by_key(|job| std::cmp::Reverse((job.failed_at, job.message.id)));
        answer(failed)
    }

    fn retry<'a>(&'a self, ids: &'a [JobId]) -> BoxFuture<'a, Result<u64, DriverError>> {
        let mut state = self.state.lock();
        let failed: Vec<_> = ids.iter().filter_map(|id| state.failed.remove(id)).collect();
        let count = u64::try_from(failed.len()).unwrap_or(u64::MAX);
        failed.into_iter().for_each(|job| state.make_ready(Held { message: job.message, attempts: 0, crashes: 0 }));
        drop(state);
        self.pushed.notify_waiters();
        answer(count)
    }

    fn forget<'a>(&'a self, ids: &'a [JobId]) -> BoxFuture<'a, Result<u64, DriverError>> {
        let mut state = self.state.lock();
        answer(u64::try_from(ids.iter().filter(|id| state.failed.remove(id).is_some()).count()).unwrap_or(u64::MAX))
    }
}
