use std::collections::BTreeMap;

use serde::Serialize;

use crate::queue::{Depth, Queue, QueueError, WorkerStatus};

/// What there is in a queue, and who works on it.
#[derive(Debug, Serialize)]
pub(super) struct QueueLine {
    queue: String,
    ready: u64,
    scheduled: u64,
    running: u64,
    /// How long the oldest of those that are ready has waited, in seconds.
    oldest_wait: Option<u64>,
    paused: bool,
    /// How many workers of the queue run something, of whichever of their queues.
    active: usize,
    idle: usize,
}

pub(super) const QUEUES: [(&str, &str); 8] = [
    ("Queue", "queue"),
    ("Ready", "ready"),
    ("Scheduled", "scheduled"),
    ("Running", "running"),
    ("Oldest wait (s)", "oldest_wait"),
    ("Paused", "paused"),
    ("Active workers", "active"),
    ("Idle workers", "idle"),
];

/// All queues that have anything, or that somebody works on.
pub(super) async fn queues<'a>(
    queue: &Queue,
    workers: impl Iterator<Item = &'a WorkerStatus> + Clone,
) -> Result<Vec<QueueLine>, QueueError> {
    let mut depths: BTreeMap<String, Depth> = queue.depths().await?.into_iter().collect();
    for name in workers.clone().flat_map(|worker| &worker.queues) {
        depths.entry(name.clone()).or_default();
    }
    let now = queue.now();
    let line = |(queue, depth): (String, Depth)| {
        let theirs = workers.clone().filter(|worker| worker.queues.contains(&queue));
        let active = theirs.clone().filter(|worker| worker.running > 0).count();
        QueueLine {
            ready: depth.ready,
            scheduled: depth.scheduled,
            running: depth.running,
            oldest_wait: depth.waited(now).map(|waited| waited.as_secs()),
            paused: depth.paused,
            active,
            idle: theirs.count() - active,
            queue,
        }
    };
    Ok(depths.into_iter().map(line).collect())
}
