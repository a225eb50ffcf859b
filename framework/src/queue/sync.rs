use std::{collections::VecDeque, sync::Arc};

use bytes::Bytes;

use super::{
    BatchId, BatchRecord, Claimed, JobEntry, JobFailed, JobRun, Jobs, Message, Outcome, Push, Queue, QueueError,
    Receipt, attempt, run::Host,
};
use crate::{
    container::{self, Ambient, Container, ContainerError, Scope, enter},
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
    let mut here = Here { host: Arc::new(Host::here(queue.clone())), jobs, app, batches: Vec::new() };
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

/// What there is of a queue where there is none.
struct Here {
    host: Arc<Host>,
    jobs: Arc<Jobs>,
    app: Container,
    batches: Vec<BatchRecord>,
}

impl Here {
    fn now(&self) -> Timestamp {
        self.host.queue().now()
    }

    fn take(&mut self, push: Push, waiting: &mut VecDeque<Message>) {
        self.batches.extend(push.batches.into_iter().map(BatchRecord::new));
        waiting.extend(push.messages);
    }

    fn batch(&mut self, id: BatchId) -> Option<&mut BatchRecord> {
        self.batches.iter_mut().find(|record| record.batch.id == id)
    }

    /// Runs a job; how it failed, and what follows it.
    async fn job(&mut self, message: Message) -> (Option<JobFailed>, Push) {
        let cancelled = message.batch.and_then(|batch| self.batch(batch));
        let cancelled = cancelled.is_some_and(|record| record.status.cancelled_at.is_some());
        let receipt = Receipt { token: 0, place: Bytes::new() };
        let claimed = Claimed { message, receipt, attempt: 1, crashes: 0, cancelled };
        let run = JobRun::new(claimed, Arc::clone(&self.host));
        let app = self.app.with_scope(Arc::new(Scope::new()));
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
            if let Some(record) = self.batch(batch) {
                let news = record.end(how, now);
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
