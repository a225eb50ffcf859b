use std::{panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::future::FutureExt;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;
use tracing::Instrument;
use uuid::Uuid;

use super::{
    Backoff, Claimed, JobId, JobRun, Jobs, Outcome, Queue,
    envelope::{self, Header},
    failure,
    run::Wish,
};
use crate::{
    container::Container,
    database::FromPrimary,
    support::{Carried, Signal, SignalSink, TraceId},
};

/// A job whose worker died so often is not read again: it may be what killed them.
const MOST_CRASHES: u32 = 3;

/// How long a job of a kind that is not known here is left to other workers.
const LEFT_TO_OTHERS: Duration = Duration::from_secs(60);

/// A job has failed for good. An application hears it as an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Why, with all that it was caused by.
    pub error: String,
}

/// Runs a job that was claimed, and says what is to become of it.
pub(super) async fn run(run: &JobRun, queue: &Queue, jobs: &Jobs, app: &Container) -> Outcome {
    let claimed = run.claimed();
    let fail = |error: String| {
        let (job, kind, attempts) = (claimed.message.id, &*claimed.message.kind, claimed.attempt);
        tracing::error!(%job, kind, attempts, error = failure::reason(&error), "a job failed for good");
        Outcome::Fail { error: failure::cut(error), at: queue.now() }
    };
    if claimed.cancelled {
        return Outcome::Cancel;
    }
    if claimed.crashes >= MOST_CRASHES {
        return fail(format!("its worker died {} times while it ran, so it is not run again", claimed.crashes));
    }
    let message = &claimed.message;
    let envelope = match envelope::open(&message.payload) {
        Ok(envelope) => envelope,
        Err(error) => return fail(format!("it cannot be read: {error}")),
    };
    let header = envelope.header;
    let tries = run.tried_at_most(header.tries);
    if header.carried {
        run.note_carried();
    }
    if let Some(scope) = app.current_scope() {
        // What it is about was perhaps committed a moment ago.
        scope.set(FromPrimary);
        if header.carried {
            scope.set(Carried);
        }
    }
    let Some(entry) = jobs.find(&header.kind) else {
        jobs.report_unknown(&header.kind);
        return Outcome::Release { due: Some(queue.now().plus(LEFT_TO_OTHERS)), payload: None };
    };
    if claimed.attempt > tries || header.is_over(message, || queue.now()) {
        return fail("it was tried as often, or as long, as it may be, and never came to an end".to_owned());
    }
    let body = match queue.codec().decrypt(envelope.body, &header.kind) {
        Ok(body) => body,
        Err(error) => return fail(format!("it cannot be decrypted: {error}")),
    };
    if let (Some(trace), Some(scope)) = (&header.trace, app.current_scope()) {
        scope.set(TraceId::new(trace));
    }
    let span = tracing::info_span!(
        "job",
        kind = %header.kind,
        id = %message.id,
        attempt = claimed.attempt,
        trace = header.trace.as_deref(),
    );
    let work = timeout(header.timeout, entry.run(body, app, run)).instrument(span);
    let attempt = AssertUnwindSafe(work).catch_unwind().await;
    let error = match (attempt, run.wish()) {
        (_, Some(Wish::Fail(why))) => return fail(why),
        (Ok(Ok(Ok(()))), Some(Wish::Release(after))) => {
            let due = (!after.is_zero()).then(|| queue.now().plus(after));
            return Outcome::Release { due, payload: run.last_checkpoint() };
        }
        (Ok(Ok(Ok(()))), None) => return Outcome::Done { then: header.next.unwrap_or_default() },
        (Ok(Ok(Err(error))), _) => failure::returned(&error),
        (Ok(Err(_)), _) => format!("it took longer than {:?}", header.timeout),
        (Err(panic), _) => failure::panicked(&*panic),
    };
    retry(run, queue, &header, tries, &error).unwrap_or_else(|| fail(error))
}

/// Another attempt, where there is to be one.
fn retry(run: &JobRun, queue: &Queue, header: &Header<'_>, tries: u32, error: &str) -> Option<Outcome> {
    let claimed = run.claimed();
    let due = queue.now().plus(jittered(&header.backoff, claimed.attempt));
    if claimed.attempt >= tries || header.is_over(&claimed.message, || due) {
        return None;
    }
    let (job, kind, attempt) = (claimed.message.id, &*header.kind, claimed.attempt);
    let error = failure::reason(error);
    tracing::warn!(%job, kind, attempt, error, "a job failed, and is tried again");
    Some(Outcome::Retry { due, payload: run.last_checkpoint() })
}

/// Up to a quarter longer, so that what failed together does not come back together.
fn jittered(backoff: &Backoff, attempt: u32) -> Duration {
    let wait = backoff.after(attempt);
    // 24 random bits.
    let random = u32::from(Uuid::new_v4().as_fields().1) << 8 | u32::from(Uuid::new_v4().as_bytes()[0]);
    let longer = Duration::try_from_secs_f64(wait.as_secs_f64() * f64::from(random) / f64::from(1 << 26));
    wait.saturating_add(longer.unwrap_or_default())
}

impl JobFailed {
    /// Of this claim.
    pub(super) fn of(claimed: &Claimed, error: &str) -> Self {
        let Claimed { message, attempt, .. } = claimed;
        let (kind, queue) = (message.kind.to_string(), message.queue.clone());
        Self { id: message.id, kind, queue, attempts: *attempt, error: failure::reason(error).to_owned() }
    }

    /// Tells whoever listens.
    pub(super) fn raise(self, app: &Container) {
        if app.bound::<dyn SignalSink>()
            && let Ok(sink) = app.make::<dyn SignalSink>()
        {
            let sink: Arc<dyn SignalSink> = sink;
            sink.raise(Signal::new(self));
        }
    }
}
