use std::{
    collections::{BTreeMap, HashMap, HashSet, VecDeque, btree_map::Entry},
    time::Duration,
};

use bytes::Bytes;
use tokio::time::Instant;
use uuid::Uuid;

use super::super::{
    BatchEnd, BatchId, BatchRecord, Claimed, FailedJob, JobId, Message, Outcome, Priority, Push, Pushed, Receipt,
    Settled, Settlement, Tended, UniqueUntil,
};
use crate::support::Timestamp;

#[derive(Default)]
pub(super) struct State {
    pub(super) queues: HashMap<String, Waiting>,
    pub(super) running: HashMap<JobId, Running>,
    pub(super) workers: HashMap<Uuid, Alive>,
    pub(super) unique: HashMap<String, Taken>,
    pub(super) failed: BTreeMap<JobId, FailedJob>,
    pub(super) batches: BTreeMap<BatchId, BatchRecord>,
    pub(super) restart: Option<Timestamp>,
    // When somebody last looked at the workers.
    pub(super) looked: Option<Instant>,
    // Of those that are scheduled at one moment, the first that came is the first to go.
    pub(super) sequence: u64,
    pub(super) tokens: u64,
}

#[derive(Default)]
pub(super) struct Waiting {
    pub(super) ready: [VecDeque<Held>; Priority::ALL.len()],
    pub(super) scheduled: BTreeMap<(Timestamp, u64), Held>,
    pub(super) paused: bool,
}

/// A worker that said it was alive: when, for how long from then, and what it says of itself.
pub(super) struct Alive {
    pub(super) since: Instant,
    pub(super) lives: Duration,
    pub(super) status: Bytes,
}

impl Alive {
    pub(super) fn until(&self) -> Instant {
        self.since + self.lives
    }
}

/// For how long a process that goes on does not look at its workers: after more it has stood still, and none of them could beat.
const STILL: Duration = Duration::from_secs(6);

/// A message and what happened to it.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) message: Message,
    pub(super) attempts: u32,
    pub(super) crashes: u32,
}

pub(super) struct Running {
    pub(super) held: Held,
    pub(super) token: u64,
    pub(super) worker: Uuid,
}

/// Who has a unique key, and until when at the latest.
pub(super) struct Taken {
    pub(super) by: JobId,
    pub(super) until: Timestamp,
}

impl Held {
    fn replace_payload(&mut self, payload: Option<&Bytes>) {
        if let Some(payload) = payload {
            self.message.payload = payload.clone();
        }
    }
}

impl State {
    pub(super) fn make_ready(&mut self, held: Held) {
        let queue = self.queues.entry(held.message.queue.clone()).or_default();
        queue.ready[held.message.priority as usize].push_back(held);
    }

    /// Puts a message where it waits: until that moment, where it is yet to come.
    pub(super) fn put(&mut self, held: Held, due: Option<Timestamp>, now: Timestamp) {
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
    pub(super) fn take_key(&mut self, message: &Message, now: Timestamp) -> bool {
        let Some(unique) = &message.unique else { return true };
        if self.unique.get(&unique.key).is_some_and(|taken| taken.until > now && taken.by != message.id) {
            return false;
        }
        let until = now.plus(unique.lasts);
        self.unique.insert(unique.key.clone(), Taken { by: message.id, until });
        true
    }

    /// Gives a message's unique key back, where it is still the message's.
    pub(super) fn give_key(&mut self, message: &Message) {
        if let Some(unique) = &message.unique
            && self.unique.get(&unique.key).is_some_and(|taken| taken.by == message.id)
        {
            self.unique.remove(&unique.key);
        }
    }

    /// Stores what is pushed.
    pub(super) fn push(&mut self, push: Push, now: Timestamp) -> Vec<Pushed> {
        let Push { messages, batches, grown } = push.begin(now);
        // What is pushed once more, since its answer was lost, has begun already.
        let mut begun = HashSet::new();
        for batch in batches {
            match self.batches.entry(batch.id) {
                Entry::Occupied(there) => {
                    begun.insert(*there.key());
                }
                Entry::Vacant(new) => {
                    new.insert(BatchRecord::new(batch));
                }
            }
        }
        for (batch, members) in grown {
            if let Some(record) = self.batches.get_mut(&batch) {
                record.grow(members);
            }
        }
        let pushed = messages.into_iter().map(|message| {
            if message.batch.is_some_and(|batch| begun.contains(&batch)) {
                return Pushed::Stored;
            }
            if !self.take_key(&message, now) {
                return Pushed::Duplicate;
            }
            let due = message.due;
            self.put(Held { message, attempts: 0, crashes: 0 }, due, now);
            Pushed::Stored
        });
        pushed.collect()
    }

    pub(super) fn claim(&mut self, worker: Uuid, queues: &[String], most: usize) -> Vec<Claimed> {
        let mut claimed = Vec::new();
        for name in queues {
            while claimed.len() < most {
                let Some(queue) = self.queues.get_mut(name).filter(|queue| !queue.paused) else { break };
                let Some(mut held) = queue.ready.iter_mut().find_map(VecDeque::pop_front) else { break };
                held.attempts += 1;
                self.tokens += 1;
                let token = self.tokens;
                if held.message.unique.as_ref().is_some_and(|unique| unique.until == UniqueUntil::Start) {
                    self.give_key(&held.message);
                }
                let batch = held.message.batch.and_then(|batch| self.batches.get(&batch));
                let cancelled = batch.is_some_and(|batch| batch.status.cancelled_at.is_some());
                let Held { message, attempts, crashes } = held.clone();
                let receipt = Receipt { token, place: Bytes::new() };
                claimed.push(Claimed { message, receipt, attempt: attempts, crashes, cancelled });
                self.running.insert(held.message.id, Running { held, token, worker });
            }
        }
        claimed
    }

    pub(super) fn settle(&mut self, settlement: &Settlement, now: Timestamp) -> Settled {
        if self.running.get(&settlement.id).is_none_or(|running| running.token != settlement.receipt.token) {
            return Settled::Stale;
        }
        let Some(Running { mut held, .. }) = self.running.remove(&settlement.id) else { return Settled::Stale };
        match &settlement.outcome {
            Outcome::Done { then } => {
                self.give_key(&held.message);
                if !then.is_empty() {
                    self.push(then.clone(), now);
                }
            }
            Outcome::Cancel => self.give_key(&held.message),
            Outcome::Retry { due, payload } => {
                held.replace_payload(payload.as_ref());
                self.put(held, Some(*due), now);
            }
            Outcome::Release { due, payload } => {
                held.attempts -= 1;
                held.replace_payload(payload.as_ref());
                self.put(held, *due, now);
            }
            Outcome::Fail { error, at } => {
                self.give_key(&held.message);
                let Held { message, attempts, .. } = held;
                let failed = FailedJob { message, error: error.clone(), failed_at: *at, attempts };
                self.failed.insert(settlement.id, failed);
            }
        }
        if let Some((batch, end)) = settlement.batch_end() {
            self.end_member(batch, end, now);
        }
        Settled::Done
    }

    /// Notes the end of a batch's member, and what follows from it.
    pub(super) fn end_member(&mut self, batch: BatchId, end: BatchEnd, now: Timestamp) {
        let mut ended = Some((batch, end));
        while let Some((batch, end)) = ended.take() {
            if let Some(record) = self.batches.get_mut(&batch) {
                let news = record.end(end, now);
                self.push(news.push, now);
                ended = news.outer;
            }
        }
    }

    /// Makes ready what these workers hold.
    pub(super) fn rescue(&mut self, gone: &HashSet<Uuid>, crashed: bool) -> u64 {
        let left: Vec<_> =
            self.running.iter().filter(|(_, running)| gone.contains(&running.worker)).map(|(id, _)| *id).collect();
        for id in &left {
            if let Some(Running { mut held, .. }) = self.running.remove(id) {
                // It did not come to its end, so it was no attempt.
                held.attempts -= 1;
                held.crashes += u32::from(crashed);
                self.make_ready(held);
            }
        }
        u64::try_from(left.len()).unwrap_or(u64::MAX)
    }

    /// Notes that the process goes on; now. After a time in which it stood still, all workers have been alive since then.
    pub(super) fn go_on(&mut self) -> Instant {
        let now = Instant::now();
        if self.looked.replace(now).is_some_and(|looked| looked + STILL < now) {
            self.workers.values_mut().for_each(|worker| worker.since = now);
        }
        now
    }

    /// The workers that are alive.
    pub(super) fn look(&mut self) -> impl Iterator<Item = (Uuid, &Alive)> {
        let now = self.go_on();
        self.workers.iter().filter(move |(_, worker)| worker.until() > now).map(|(id, worker)| (*id, worker))
    }

    pub(super) fn tend(&mut self, queues: &[String], now: Timestamp) -> Tended {
        let mut tended = Tended::default();
        let alive: HashSet<_> = self.look().map(|(worker, _)| worker).collect();
        let gone: HashSet<_> = self.workers.keys().filter(|worker| !alive.contains(worker)).copied().collect();
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
