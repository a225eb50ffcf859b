use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::{
    super::{
        BatchEnd, BatchId, BatchStatus, Batches, Depth, DriverError, FailedJob, FailedJobs, JobId, Message, Order,
        Peeked, QueueAdmin,
    },
    MemoryDriver, answer,
    state::Held,
};
use crate::support::Timestamp;

fn count(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

impl QueueAdmin for MemoryDriver {
    fn depths(&self) -> BoxFuture<'_, Result<Vec<(String, Depth)>, DriverError>> {
        let state = self.state.lock();
        let mut depths: BTreeMap<_, _> = state
            .queues
            .iter()
            .map(|(name, queue)| {
                let since = |held: &Held| held.message.due.unwrap_or_else(|| held.message.id.made_at());
                let depth = Depth {
                    ready: count(queue.ready.iter().map(VecDeque::len).sum()),
                    scheduled: count(queue.scheduled.len()),
                    running: 0,
                    oldest: queue.ready.iter().filter_map(VecDeque::front).map(since).min(),
                    paused: queue.paused,
                };
                (name.clone(), depth)
            })
            .collect();
        for running in state.running.values() {
            depths.entry(running.held.message.queue.clone()).or_default().running += 1;
        }
        answer(depths.into_iter().collect())
    }

    fn clear<'a>(&'a self, queue: &'a str) -> BoxFuture<'a, Result<u64, DriverError>> {
        let now = self.clock.now();
        let mut state = self.state.lock();
        let Some(waiting) = state.queues.get_mut(queue) else { return answer(0) };
        let ready = std::mem::take(&mut waiting.ready);
        let scheduled = std::mem::take(&mut waiting.scheduled);
        let all: Vec<_> = ready.into_iter().flatten().chain(scheduled.into_values()).collect();
        for held in &all {
            state.give_key(&held.message);
            if let Some(batch) = held.message.batch {
                state.end_member(batch, BatchEnd::Cancelled, now);
            }
        }
        answer(count(all.len()))
    }

    fn order(&self, order: Order) -> BoxFuture<'_, Result<(), DriverError>> {
        let mut state = self.state.lock();
        match order {
            Order::Pause(queue) => state.queues.entry(queue).or_default().paused = true,
            Order::Continue(queue) => state.queues.entry(queue).or_default().paused = false,
            Order::Restart(before) => state.restart = Some(before),
        }
        self.pushed.notify_waiters();
        answer(())
    }

    fn workers(&self) -> BoxFuture<'_, Result<Vec<(Uuid, Bytes)>, DriverError>> {
        let mut state = self.state.lock();
        answer(state.look().map(|(id, worker)| (id, worker.status.clone())).collect())
    }

    fn peek<'a>(&'a self, queue: &'a str, _: Option<String>) -> BoxFuture<'a, Result<Peeked, DriverError>> {
        let state = self.state.lock();
        let waiting = state.queues.get(queue).into_iter();
        let waiting = waiting.flat_map(|queue| queue.ready.iter().flatten().chain(queue.scheduled.values()));
        let running = state.running.values().map(|running| &running.held).filter(|held| held.message.queue == queue);
        answer(Peeked { messages: waiting.chain(running).map(|held| held.message.clone()).collect(), next: None })
    }

    fn failed(&self) -> &dyn FailedJobs {
        self
    }

    fn batches(&self) -> &dyn Batches {
        self
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

    fn keys(&self) -> BoxFuture<'_, Result<Vec<JobId>, DriverError>> {
        let state = self.state.lock();
        let mut keys: Vec<_> = state.failed.iter().map(|(id, job)| (job.failed_at, *id)).collect();
        keys.sort_unstable_by(|one, other| other.cmp(one));
        answer(keys.into_iter().map(|(_, id)| id).collect())
    }

    fn retry<'a>(&'a self, ids: &'a [JobId]) -> BoxFuture<'a, Result<u64, DriverError>> {
        let now = self.clock.now();
        let mut state = self.state.lock();
        let mut retried = 0;
        for id in ids {
            let Some(job) = state.failed.get(id) else { continue };
            // As long as it may be tried, it may be from now on.
            let message = Message { due: Some(now), ..job.message.clone() };
            if !state.take_key(&message, now) {
                continue;
            }
            state.failed.remove(id);
            retried += 1;
            let mut rejoins = message.batch.map(|batch| (batch, BatchEnd::Failed));
            while let Some((batch, had)) = rejoins {
                rejoins = state.batches.get_mut(&batch).and_then(|record| record.rejoin(had));
            }
            state.make_ready(Held { message, attempts: 0, crashes: 0 });
        }
        drop(state);
        self.pushed.notify_waiters();
        answer(retried)
    }

    fn forget<'a>(&'a self, ids: &'a [JobId]) -> BoxFuture<'a, Result<u64, DriverError>> {
        let mut state = self.state.lock();
        answer(count(ids.iter().filter(|id| state.failed.remove(id).is_some()).count()))
    }

    fn prune(&self, before: Timestamp) -> BoxFuture<'_, Result<u64, DriverError>> {
        let mut state = self.state.lock();
        let had = state.failed.len();
        state.failed.retain(|_, job| job.failed_at >= before);
        answer(count(had - state.failed.len()))
    }
}

impl Batches for MemoryDriver {
    fn list<'a>(&'a self, only: Option<&'a [BatchId]>) -> BoxFuture<'a, Result<Vec<BatchStatus>, DriverError>> {
        let state = self.state.lock();
        let wanted = |id: &BatchId| only.is_none_or(|only| only.contains(id));
        let batches = state.batches.iter().rev().filter(|(id, _)| wanted(id));
        answer(batches.map(|(_, record)| record.status.clone()).collect())
    }

    fn cancel(&self, id: BatchId) -> BoxFuture<'_, Result<bool, DriverError>> {
        let now = self.clock.now();
        answer(self.state.lock().batches.get_mut(&id).is_some_and(|record| record.cancel(now)))
    }

    fn prune(&self, before: Timestamp) -> BoxFuture<'_, Result<u64, DriverError>> {
        let mut state = self.state.lock();
        let had = state.batches.len();
        state.batches.retain(|_, record| record.status.finished_at.is_none_or(|finished| finished >= before));
        answer(count(had - state.batches.len()))
    }
}
