use std::{sync::Arc, time::Duration};

use tokio::{
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval},
};
use uuid::Uuid;

use super::{WhyEnded, WorkerLimits, floor::Floor, limits::resident_memory};
use crate::{
    queue::{Beat, Queue, WorkerStatus},
    support::Timestamp,
};

/// How often a worker says that it is alive, and for how long it is believed: a dead one's jobs run again within 15 seconds.
const BEAT: Duration = Duration::from_secs(3);
const LIVES: Duration = Duration::from_secs(12);

/// A worker's sign of life: one for all its jobs, from a task of its own, so that neither a long job nor a slow answer of the
/// queue's stops it.
pub(super) struct Heartbeat {
    worker: Uuid,
    queue: Queue,
    task: JoinHandle<()>,
}

impl Heartbeat {
    /// Beats, and begins to.
    pub(super) async fn start(
        worker: Uuid,
        queue: Queue,
        floor: Arc<Floor>,
        about: WorkerStatus,
        limits: WorkerLimits,
    ) -> Self {
        let mut beats = Beats { worker, queue: queue.clone(), floor, about, limits, known: None, failed: false };
        beats.beat().await;
        Self { worker, queue, task: crate::spawn(beats.go_on()) }
    }

    /// Says that the worker has gone.
    pub(super) async fn end(self) {
        self.task.abort();
        let gone = Beat { worker: self.worker, lives: Duration::ZERO, status: &[] };
        if let Err(error) = self.queue.driver().beat(gone).await {
            tracing::error!(%error, worker = %self.worker, "the queue was not told that this worker is gone");
        }
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.task.abort();
    }
}

struct Beats {
    worker: Uuid,
    queue: Queue,
    floor: Arc<Floor>,
    about: WorkerStatus,
    limits: WorkerLimits,
    // The order to begin anew that was there before, once that is known: whoever began since is not meant. It is told apart from
    // the next by being another, and not by a clock, which may have been put back; only where a beat failed before it was known, by
    // when it was given, as near as clocks go.
    known: Option<Option<Timestamp>>,
    failed: bool,
}

impl Beats {
    async fn go_on(mut self) {
        let mut ticks = interval(BEAT);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first is at once, and has been.
        ticks.tick().await;
        loop {
            ticks.tick().await;
            self.beat().await;
        }
    }

    async fn beat(&mut self) {
        let status = self.floor.status(&self.about);
        // Numbers and names alone: it can be written.
        let status = serde_json::to_vec(&status).unwrap_or_default();
        let beat = Beat { worker: self.worker, lives: LIVES, status: &status };
        let sent = Instant::now();
        match self.queue.driver().beat(beat).await {
            Ok(orders) => {
                self.floor.lives_until(sent + LIVES);
                // Where this is not the first beat, it may have been ordered since the worker began.
                let before = orders.restart.filter(|at| !self.failed || *at < self.about.started_at);
                if *self.known.get_or_insert(before) != orders.restart {
                    self.floor.end(WhyEnded::Restart);
                }
            }
            Err(error) => {
                self.failed = true;
                tracing::error!(%error, worker = %self.worker, "the queue was not told that this worker is alive");
            }
        }
        if let (Some(most), Some(has)) = (self.limits.memory, resident_memory())
            && has > most
        {
            tracing::warn!(has, most, "this worker takes more memory than it may, and ends");
            self.floor.end(WhyEnded::Memory);
        }
    }
}
