use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;
use parking_lot::Mutex;

use super::{
    BatchId, BatchRecord, Claimed, JobEntry, JobFailed, JobRun, Jobs, Message, Outcome, Push, Queue, QueueError,
    Receipt, attempt, run::Host,
};
use crate::{
    container::{self, Ambient, Container, ContainerError, Scope, enter, in_scope},
    support::Timestamp,
};

/// Runs what is pushed here and now, each job once, and what follows from it. The first that fails is told of; batches go on, chains
/// do not.
pub(super) async fn run(queue: &Queue, push: Push, known: Option<JobEntry>) -> Result<(), QueueError> {
    let app = container::current().map_err(ContainerError::from)?;
    let jobs = match known {
        Some(entry) => Arc::new(Jobs::only(entry)),
        None => app.make::<Jobs>()?,
    };
    let batches = in_scope::<Batches>().ok().flatten().map(|batches| Batches::clone(&batches)).unwrap_or_default();
    let here = Here { host: Arc::new(Host::here(queue.clone())), jobs, app, batches };
    let mut waiting = VecDeque::new();
    here.take(push, &mut waiting);
    let mut first = None;
    while let Some(message) = waiting.pop_front() {
        let (failed, then) = here.job(message).await;
        here.take(then, &mut waiting);
        first = first.or(failed);
    }
    first.map_or(Ok(()), |JobFailed { kind, error, .. }| Err(QueueError::Failed { kind, reason: error }))
}

/// The batches that are under way. What a job dispatches while it runs knows them too: it may add to its own.
#[derive(Clone, Default)]
struct Batches(Arc<Mutex<Vec<BatchRecord>>>);

impl Batches {
    /// Asks one, or changes it, where there is such a one.
    fn with<R>(&self, id: BatchId, with: impl FnOnce(&mut BatchRecord) -> R) -> Option<R> {
        self.0.lock().iter_mut().find(|record| record.batch.id == id).map(with)
    }
}

/// What there is of a queue where there is none.
struct Here {
    host: Arc<Host>,
    jobs: Arc<Jobs>,
    app: Container,
    batches: Batches,
}

impl Here {
    fn now(&self) -> Timestamp {
        self.host.queue().now()
    }

    fn take(&self, push: Push, waiting: &mut VecDeque<Message>) {
        self.batches.0.lock().extend(push.batches.into_iter().map(BatchRecord::new));
        for (batch, members) in push.grown {
            self.batches.with(batch, |record| record.grow(members));
        }
        waiting.extend(push.messages);
    }

    /// Runs a job; how it failed, and what follows it.
    async fn job(&self, message: Message) -> (Option<JobFailed>, Push) {
        let is_cancelled = |batch| self.batches.with(batch, |record| record.status.cancelled_at.is_some());
        let cancelled = message.batch.and_then(is_cancelled).unwrap_or_default();
        let receipt = Receipt { token: 0, place: Bytes::new() };
        let claimed = Claimed { message, receipt, attempt: 1, crashes: 0, cancelled };
        let run = JobRun::new(claimed, Arc::clone(&self.host));
        let scope = Scope::new();
        scope.set(self.batches.clone());
        let app = self.app.with_scope(Arc::new(scope));
        let attempt = attempt::run(&run, self.host.queue(), &self.jobs, &app);
        let outcome = match enter(Ambient::new(app.clone()), attempt).await {
            Outcome::Release { .. } => Outcome::Fail {
                error: "it went back, and where jobs run at once there is nowhere to wait".to_owned(),
                at: self.now(),
            },
            outcome => outcome,
        };
        let failed = match &outcome {
            Outcome::Fail { error, .. } => Some(JobFailed::of(run.claimed(), error)),
            _ => None,
        };
        let mut end = run.claimed().end(outcome.clone()).batch_end();
        let mut then = match outcome {
            Outcome::Done { then } => then,
            _ => Push::NOTHING,
        };
        let now = self.now();
        while let Some((batch, how)) = end.take() {
            if let Some(news) = self.batches.with(batch, |record| record.end(how, now)) {
                then.extend(news.push);
                end = news.outer;
            }
        }
        if let Some(failed) = failed.as_ref().filter(|_| !run.is_carried()) {
            failed.clone().raise(&self.app);
        }
        (failed, then)
    }
}
