use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    sync::Arc,
    time::Duration,
};

use tokio::{
    sync::watch,
    task::{Id, JoinError, JoinSet},
    time::{Instant, sleep, sleep_until, timeout_at},
};
use uuid::Uuid;

use super::{Claim, Claimed, Driver, DriverError, Jobs, Outcome, Queue, Settled, Settlement, attempt};
use crate::{
    config::QueueConfig,
    container::{Ambient, Container, Scope, enter},
};

/// How often a worker says that it is alive, and for how long it is believed: a dead one's jobs run again within 15 seconds.
const BEAT: Duration = Duration::from_secs(3);
const LIVES: Duration = Duration::from_secs(12);

/// How often what has become due is looked for at least, and how long to leave a driver alone that failed.
const TEND: Duration = Duration::from_secs(1);

/// How long an end waits for others to be settled with it, and with how many at most.
const GATHER: Duration = Duration::from_millis(2);
const MOST_AT_ONCE: usize = 256;

/// How often a worker that stops tries to say how its jobs ended.
const LAST_TRIES: usize = 3;

/// Claims jobs and runs them, many at once, until it is stopped.
pub struct Worker {
    id: Uuid,
    queue: Queue,
    queues: Vec<String>,
    jobs: Arc<Jobs>,
    container: Container,
    concurrency: usize,
    grace: Duration,
}

/// What a worker did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct WorkerReport {
    /// How many jobs are done.
    pub done: u64,
    /// How many attempts failed and are followed by another.
    pub retried: u64,
    /// How many jobs failed for good.
    pub failed: u64,
    /// How many went back as if they had not been claimed.
    pub released: u64,
    /// How many had meanwhile been given to somebody else.
    pub stale: u64,
}

impl Worker {
    /// A worker of these queues, the first that has anything first.
    pub fn new(
        queue: Queue,
        jobs: Arc<Jobs>,
        config: &QueueConfig,
        container: Container,
        queues: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        Self {
            id: Uuid::new_v4(),
            queue,
            queues: queues.into_iter().map(Into::into).collect(),
            jobs,
            container,
            concurrency: config.concurrency,
            grace: config.grace,
        }
    }

    /// Runs so many jobs at once.
    #[must_use]
    pub fn concurrency(self, concurrency: usize) -> Self {
        Self { concurrency: concurrency.max(1), ..self }
    }

    /// Works until `stop` is ready; then claims no more, gives what runs its grace, and puts back what is left.
    pub async fn run(self, stop: impl Future<Output = ()>) -> WorkerReport {
        let (sender, stopping) = watch::channel(false);
        let mut work = Work::new(&self, stopping);
        tokio::pin!(stop);
        let (mut beat, mut tend) = (Instant::now(), Instant::now());
        loop {
            if beat <= Instant::now() {
                self.note(self.driver().beat(self.id, LIVES).await, "say that this worker is alive");
                beat = Instant::now() + BEAT;
            }
            if tend <= Instant::now() {
                let tended = self.note(self.driver().tend(&self.queues).await, "look for what has become due");
                tend = Instant::now() + tended.and_then(|tended| tended.next).map_or(TEND, |next| next.min(TEND));
            }
            work.collect();
            work.settle_where_due().await;
            let claims = work.claim().await;
            work.start();
            let wake = work.settle_at.into_iter().chain([beat, tend]).min().unwrap_or(beat);
            let wait = async {
                match claims {
                    // There may be more.
                    Claims::Some => tokio::task::yield_now().await,
                    Claims::None => self.driver().wait(&self.queues, wake - Instant::now()).await,
                    Claims::Full => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = &mut stop => break,
                Some(ended) = work.tasks.join_next_with_id() => work.end(ended),
                () = wait => {}
                () = sleep_until(wake) => {}
            }
        }
        let _ = sender.send(true);
        work.finish().await;
        self.note(self.driver().beat(self.id, Duration::ZERO).await, "say that this worker is gone");
        work.report
    }

    fn driver(&self) -> &dyn Driver {
        &**self.queue.driver()
    }

    /// What came of it, where anything did; a failure is logged, and passes.
    fn note<T>(&self, result: Result<T, DriverError>, what: &'static str) -> Option<T> {
        result.inspect_err(|error| tracing::error!(%error, worker = %self.id, what, "the queue failed")).ok()
    }
}

/// Whether there is more to claim.
enum Claims {
    /// There was something.
    Some,
    /// There was nothing.
    None,
    /// There is no room.
    Full,
}

/// A worker at work.
struct Work<'a> {
    worker: &'a Worker,
    stopping: watch::Receiver<bool>,
    tasks: JoinSet<Outcome>,
    // What each task has.
    running: HashMap<Id, Claimed>,
    // What waits for a task.
    claimed: VecDeque<Claimed>,
    ends: Vec<Settlement>,
    settle_at: Option<Instant>,
    report: WorkerReport,
}

impl<'a> Work<'a> {
    fn new(worker: &'a Worker, stopping: watch::Receiver<bool>) -> Self {
        Self {
            worker,
            stopping,
            tasks: JoinSet::new(),
            running: HashMap::new(),
            claimed: VecDeque::new(),
            ends: Vec::new(),
            settle_at: None,
            report: WorkerReport::default(),
        }
    }

    /// Claims what there is room for: what runs, and as much again, so that no task waits for a round trip.
    async fn claim(&mut self) -> Claims {
        let concurrency = self.worker.concurrency;
        let room = (2 * concurrency).saturating_sub(self.tasks.len() + self.claimed.len());
        // Not for one or two at a time while others still wait here.
        if room == 0 || self.claimed.len() > concurrency / 2 {
            return Claims::Full;
        }
        let claim = Claim { worker: self.worker.id, queues: &self.worker.queues, most: room.min(MOST_AT_ONCE) };
        match self.worker.driver().claim(claim).await {
            Ok(claimed) if claimed.is_empty() => Claims::None,
            Ok(claimed) => {
                self.claimed.extend(claimed);
                Claims::Some
            }
            Err(error) => {
                tracing::error!(%error, worker = %self.worker.id, "the queue could not give out jobs");
                sleep(TEND).await;
                Claims::Some
            }
        }
    }

    fn start(&mut self) {
        while self.tasks.len() < self.worker.concurrency {
            let Some(claimed) = self.claimed.pop_front() else { return };
            let (queue, jobs, stop) = (self.worker.queue.clone(), Arc::clone(&self.worker.jobs), self.stopping.clone());
            let app = self.worker.container.with_scope(Arc::new(Scope::new()));
            let (ambient, held) = (Ambient::new(app.clone()), claimed.clone());
            let attempt = async move { attempt::run(&claimed, &queue, &jobs, &app, stop).await };
            let task = self.tasks.spawn(enter(ambient, attempt)).id();
            self.running.insert(task, held);
        }
    }

    fn collect(&mut self) {
        while let Some(ended) = self.tasks.try_join_next_with_id() {
            self.end(ended);
        }
    }

    /// Notes how a task ended. One that was cut off leaves its job as it was.
    fn end(&mut self, ended: Result<(Id, Outcome), JoinError>) {
        let (task, outcome) = match ended {
            Ok((task, outcome)) => (task, outcome),
            Err(error) => (error.id(), Outcome::Release { due: None, payload: None }),
        };
        if let Some(claimed) = self.running.remove(&task) {
            self.settle_later(claimed, outcome);
        }
    }

    fn settle_later(&mut self, claimed: Claimed, outcome: Outcome) {
        let Claimed { message, token, .. } = claimed;
        self.ends.push(Settlement { id: message.id, queue: message.queue, token, outcome });
        self.settle_at.get_or_insert_with(|| Instant::now() + GATHER);
    }

    /// Settles what has ended, once it is much or old, or there is nothing else to do.
    async fn settle_where_due(&mut self) {
        let Some(at) = self.settle_at else { return };
        let idle = self.tasks.is_empty() && self.claimed.is_empty();
        if idle || self.ends.len() >= MOST_AT_ONCE || at <= Instant::now() {
            self.settle().await;
        }
    }

    /// Settles what has ended; whether it could.
    async fn settle(&mut self) -> bool {
        let ends = std::mem::take(&mut self.ends);
        self.settle_at = None;
        match self.worker.driver().settle(ends.clone()).await {
            Ok(settled) => {
                for (end, settled) in ends.iter().zip(settled) {
                    let count = match (settled, &end.outcome) {
                        (Settled::Stale, _) => {
                            tracing::warn!(job = %end.id, "a job had been given to another worker when it ended here");
                            &mut self.report.stale
                        }
                        (_, Outcome::Done) => &mut self.report.done,
                        (_, Outcome::Retry { .. }) => &mut self.report.retried,
                        (_, Outcome::Release { .. }) => &mut self.report.released,
                        (_, Outcome::Fail { .. }) => &mut self.report.failed,
                    };
                    *count += 1;
                }
                true
            }
            Err(error) => {
                tracing::error!(%error, worker = %self.worker.id, "the queue could not be told how jobs ended");
                // What was settled all the same is stale when it is told again.
                self.ends.extend(ends);
                self.settle_at = Some(Instant::now() + TEND);
                false
            }
        }
    }

    /// Gives what runs its grace, and puts back the rest.
    async fn finish(&mut self) {
        let back = |due| Outcome::Release { due, payload: None };
        while let Some(claimed) = self.claimed.pop_front() {
            self.settle_later(claimed, back(None));
        }
        let deadline = Instant::now() + self.worker.grace;
        while let Ok(Some(ended)) = timeout_at(deadline, self.tasks.join_next_with_id()).await {
            self.end(ended);
        }
        self.tasks.abort_all();
        while let Some(ended) = self.tasks.join_next_with_id().await {
            self.end(ended);
        }
        for _ in 0..LAST_TRIES {
            if self.ends.is_empty() || self.settle().await {
                return;
            }
            sleep(TEND).await;
        }
        // Its lease runs out.
        tracing::error!(jobs = self.ends.len(), "the queue was not told how jobs ended: some of them will run again");
    }
}
