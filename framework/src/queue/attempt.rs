use std::{panic::AssertUnwindSafe, time::Duration};

use futures_util::future::FutureExt;
use serde::Serialize;
use std::sync::Arc;
use tokio::{sync::watch, time::timeout};
use uuid::Uuid;

use super::{
    Backoff, Claimed, JobId, JobRun, Jobs, Outcome, Queue,
    envelope::{self, Header},
    run::Wish,
};
use crate::{
    container::{Container, panic_message},
    support::{Signal, SignalSink},
};

/// A job whose worker died so often is not read again: it may be what killed them.
const MOST_CRASHES: u32 = 3;

/// How long a job of a kind that is not known here is left to other workers.
const LEFT_TO_OTHERS: Duration = Duration::from_secs(60);

/// A job has failed for good. An application hears it as an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct JobFailed {
    /// The job.
    pub id: JobId,
    /// Its kind.
    pub kind: String,
    /// Its queue.
    pub queue: String,
    /// After how many attempts.
    pub attempts: u32,
    /// Why.
    pub error: String,
}

/// Runs a job that was claimed, and says what is to become of it.
pub(super) async fn run(
    claimed: &Claimed,
    queue: &Queue,
    jobs: &Jobs,
    app: &Container,
    stop: watch::Receiver<bool>,
) -> Outcome {
    let fail = |error: String| failed(claimed, queue, app, error);
    if claimed.crashes >= MOST_CRASHES {
        return fail(format!("its worker died {} times while it ran, so it is not run again", claimed.crashes));
    }
    let envelope = match envelope::open(&claimed.message.payload) {
        Ok(envelope) => envelope,
        Err(error) => return fail(format!("it cannot be read: {error}")),
    };
    let header = envelope.header;
    let Some(entry) = jobs.find(&header.kind) else {
        jobs.report_unknown(&header.kind);
        return Outcome::Release { due: Some(queue.now().plus(LEFT_TO_OTHERS)), payload: None };
    };
    if claimed.attempt > header.tries || header.is_over(queue.now()) {
        return fail("it was tried as often, or as long, as it may be, and never came to an end".to_owned());
    }
    let message = &claimed.message;
    let run = JobRun::new(message.id, &message.queue, claimed.attempt, header.tries, stop);
    let attempt = AssertUnwindSafe(timeout(header.timeout, (entry.run)(envelope.body, app, &run))).catch_unwind().await;
    let error = match (attempt, run.wish()) {
        (_, Some(Wish::Fail(why))) => return fail(why),
        (Ok(Ok(Ok(()))), Some(Wish::Release(after))) => {
            return Outcome::Release { due: Some(queue.now().plus(after)), payload: None };
        }
        (Ok(Ok(Ok(()))), None) => return Outcome::Done,
        (Ok(Ok(Err(error))), _) => error.to_string(),
        (Ok(Err(_)), _) => format!("it took longer than {:?}", header.timeout),
        (Err(panic), _) => format!("it panicked: {}", panic_message(&*panic)),
    };
    retry(claimed, queue, &header, &error).unwrap_or_else(|| fail(error))
}

/// Another attempt, where there is to be one.
fn retry(claimed: &Claimed, queue: &Queue, header: &Header<'_>, error: &str) -> Option<Outcome> {
    let due = queue.now().plus(jittered(header.backoff, claimed.attempt));
    if claimed.attempt >= header.tries || header.is_over(due) {
        return None;
    }
    let (job, kind, attempt) = (claimed.message.id, &*header.kind, claimed.attempt);
    tracing::warn!(%job, kind, attempt, error, "a job failed, and is tried again");
    Some(Outcome::Retry { due })
}

/// Up to a quarter longer, so that what failed together does not come back together.
fn jittered(backoff: Backoff, attempt: u32) -> Duration {
    let wait = backoff.after(attempt);
    // 24 random bits.
    let random = u32::from(Uuid::new_v4().as_fields().1) << 8 | u32::from(Uuid::new_v4().as_bytes()[0]);
    wait + wait.mul_f64(f64::from(random) / f64::from(1 << 26))
}

fn failed(claimed: &Claimed, queue: &Queue, app: &Container, error: String) -> Outcome {
    let message = &claimed.message;
    let (job, kind, attempts) = (message.id, &*message.kind, claimed.attempt);
    tracing::error!(%job, kind, attempts, error, "a job failed for good");
    if app.bound::<dyn SignalSink>()
        && let Ok(sink) = app.make::<dyn SignalSink>()
    {
        let (id, kind, queue) = (message.id, message.kind.clone(), message.queue.clone());
        let sink: Arc<dyn SignalSink> = sink;
        sink.raise(Signal::new(JobFailed { id, kind, queue, attempts, error: error.clone() }));
    }
    Outcome::Fail { error, at: queue.now() }
}
