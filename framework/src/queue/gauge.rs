use std::collections::{BTreeMap, HashMap};

use futures_util::future::{BoxFuture, FutureExt};
use parking_lot::Mutex;
use uuid::Uuid;

use super::{AttemptStats, Depth, Queue, QueueError};
use crate::support::{Gauge, Measure, Metric, Reading};

/// What is watched of the queues: how many jobs wait in each, how long the oldest has, and how many attempts fail of each kind, in
/// all processes together.
pub struct QueueGauge {
    queue: Queue,
    seen: Mutex<Seen>,
}

/// What the last look found.
#[derive(Default)]
struct Seen {
    depths: Vec<Waiting>,
    // What each worker had done by then: it takes its counts with it when it goes. `None` before the first look, to which all that was
    // done is past.
    workers: Option<HashMap<Uuid, BTreeMap<String, AttemptStats>>>,
    kinds: BTreeMap<String, Attempts>,
}

struct Waiting {
    queue: String,
    ready: u64,
    seconds: f64,
}

/// How many attempts ended and how many of them failed since the first look.
#[derive(Default)]
struct Attempts {
    all: u64,
    failed: u64,
}

impl QueueGauge {
    /// A gauge of these queues.
    pub fn new(queue: Queue) -> Self {
        Self { queue, seen: Mutex::default() }
    }

    async fn ask(&self) -> Result<(), QueueError> {
        let (depths, workers) = (self.queue.depths().await?, self.queue.workers().await?);
        let mut seen = self.seen.lock();
        let waiting = |(queue, depth): (String, Depth)| Waiting {
            queue,
            ready: depth.ready,
            seconds: depth.waited(self.queue.now()).unwrap_or_default().as_secs_f64(),
        };
        seen.depths = depths.into_iter().map(waiting).collect();
        let workers: HashMap<_, _> = workers.into_iter().map(|(id, status)| (id, status.kinds)).collect();
        let Some(before) = seen.workers.replace(workers.clone()) else { return Ok(()) };
        for (worker, kinds) in workers {
            for (kind, stats) in kinds {
                let before = before.get(&worker).and_then(|kinds| kinds.get(&kind)).copied().unwrap_or_default();
                let attempts = seen.kinds.entry(kind).or_default();
                attempts.all += stats.attempts().saturating_sub(before.attempts());
                attempts.failed += stats.errors.saturating_sub(before.errors);
            }
        }
        Ok(())
    }
}

impl Gauge for QueueGauge {
    fn look(&self) -> BoxFuture<'_, ()> {
        async {
            if let Err(error) = self.ask().await {
                tracing::warn!(%error, "what waits in the queues is not watched");
                // What it was is not what it is.
                self.seen.lock().depths.clear();
            }
        }
        .boxed()
    }

    #[expect(clippy::cast_precision_loss, reason = "counts, for people")]
    fn read(&self) -> Vec<Reading> {
        let seen = self.seen.lock();
        let depths = seen.depths.iter().flat_map(|Waiting { queue, ready, seconds }| {
            let depth = Reading::new(Metric::QueueDepth, queue, Measure::Now(*ready as f64));
            [depth, Reading::new(Metric::QueueWait, queue, Measure::Now(*seconds))]
        });
        let failures = seen.kinds.iter().map(|(kind, Attempts { all, failed })| {
            Reading::new(Metric::QueueFailures, kind, Measure::Mean { sum: *failed as f64 * 100.0, count: *all })
        });
        depths.chain(failures).collect()
    }
}
