//! One run of a task: whether there is to be one, and what is done around it.

use std::{future::Future, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::future::{BoxFuture, FutureExt};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};
use tracing::Instrument;
use uuid::Uuid;

use super::{
    Claim, FenceError, Missed, Outcome, Ran, ScheduleStore, Skip, TaskFailed, crew::Phase, entry::Entry,
    function::Call, lease::Held,
};
use crate::{
    config::Environment,
    console::Console,
    container::{Ambient, Container, Scope, enter, panic_message},
    support::{BoxError, Signal, SignalSink, Timestamp, with_causes},
};

/// How often a fence is asked that does not answer, and how much longer it is left alone after each time.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_millis(200);

/// What a run needs to know.
#[derive(Clone)]
pub(super) struct Run {
    pub(super) entry: Arc<Entry>,
    pub(super) due: Timestamp,
    pub(super) store: Arc<ScheduleStore>,
    pub(super) environment: Environment,
    pub(super) phase: watch::Receiver<Phase>,
    /// Under which name it is claimed.
    pub(super) by: Uuid,
}

/// Why it is not known whether a run is to be.
enum NotKnown {
    /// Nobody can say who runs what.
    Fence(FenceError),
    Condition(String),
}

impl Run {
    /// Runs the task, where the terms allow it; and whether the fence, where it was asked, has answered.
    pub(super) async fn scheduled(self, app: &Container) -> (Ran, bool) {
        let app = app.with_scope(Arc::new(Scope::new()));
        let mut is_answered = true;
        let body = async {
            match self.admitted(&app).await {
                Ok(None) => self.alone(&app, &mut Console::silent()).await,
                Ok(Some(reason)) => Outcome::Skipped { reason },
                Err(NotKnown::Condition(error)) => self.failed(&app, error),
                Err(NotKnown::Fence(error)) => {
                    is_answered = false;
                    self.failed(&app, not_run(error))
                }
            }
        };
        let ran = self.told(&app, body).await;
        (ran, is_answered)
    }

    /// There is no run, since nobody can say whether there is to be one.
    pub(super) async fn unknown(self, app: &Container, error: FenceError) -> Ran {
        self.told(app, async { self.failed(app, not_run(error)) }).await
    }

    /// Runs the task whatever the terms are, but not where it would overlap.
    pub(super) async fn now(self, app: &Container, console: &mut Console) -> Ran {
        let app = app.with_scope(Arc::new(Scope::new()));
        self.told(&app, self.alone(&app, console)).await
    }

    /// In the run's own scope and a span, and logged.
    async fn told(&self, app: &Container, body: impl Future<Output = Outcome>) -> Ran {
        let (task, due, started) = (self.entry.name.clone(), self.due, Instant::now());
        let span = tracing::info_span!("scheduled task", task, %due);
        let outcome = enter(Ambient::new(app.clone()), body).instrument(span).await;
        let took = started.elapsed();
        match &outcome {
            Outcome::Done => tracing::info!(task, %due, ?took, "a scheduled task is done"),
            Outcome::Failed { error } => tracing::error!(task, %due, ?took, error, "a scheduled task failed"),
            Outcome::Skipped { reason } => tracing::debug!(task, %due, %reason, "a scheduled task was not run"),
        }
        Ran { task, due, outcome, took }
    }

    /// Whether there is to be a run, which is then this one's to make; why not, where there is none.
    async fn admitted(&self, app: &Container) -> Result<Option<Skip>, NotKnown> {
        let terms = &self.entry.terms;
        let skipped = self.forbidden(app).await.map_err(NotKnown::Condition)?;
        if skipped.is_some() {
            // Somebody else may run it, but nobody is to make up for it.
            if terms.missed != Missed::Skip {
                let note = || self.store.fence().note(&self.entry.name, self.due);
                asked(app, note).await.map_err(NotKnown::Fence)?;
            }
            return Ok(skipped);
        }
        if !terms.is_fenced {
            return Ok(None);
        }
        let by = self.by.to_string();
        let claim = Claim { task: &self.entry.name, due: self.due, by: &by };
        let taken = asked(app, || self.store.fence().claim(claim)).await.map_err(NotKnown::Fence)?;
        Ok((!taken).then_some(Skip::Elsewhere))
    }

    /// Why it is not to run now, but for what others do.
    async fn forbidden(&self, app: &Container) -> Result<Option<Skip>, String> {
        let terms = &self.entry.terms;
        if !terms.environments.is_empty() && !terms.environments.contains(&self.environment) {
            return Ok(Some(Skip::Environment));
        }
        for (expected, condition) in &terms.conditions {
            let holds = caught(condition(app)).await.map_err(|error| format!("its condition: {error}"))?;
            if holds != *expected {
                return Ok(Some(Skip::Condition));
            }
        }
        Ok(None)
    }

    /// Runs it under its lock, where it has one.
    async fn alone(&self, app: &Container, console: &mut Console) -> Outcome {
        let name = &self.entry.name;
        if !self.entry.terms.is_alone {
            return self.performed(app, console).await;
        }
        let held = match Held::take(self.store.lock(name), name).await {
            Ok(Some(held)) => held,
            Ok(None) => return Outcome::Skipped { reason: Skip::Overlapping },
            Err(error) => return self.failed(app, not_run(error)),
        };
        let outcome = self.performed(app, console).await;
        held.release(name).await;
        outcome
    }

    /// Runs it with its hooks.
    async fn performed(&self, app: &Container, console: &mut Console) -> Outcome {
        let (entry, terms) = (&self.entry, &self.entry.terms);
        let work = async {
            for hook in &terms.before {
                caught(hook(app)).await.map_err(|error| format!("its hook `before`: {error}"))?;
            }
            caught((entry.action)(app, console)).await
        };
        let mut phase = self.phase.clone();
        let cut_off = async move {
            if phase.wait_for(|phase| *phase == Phase::CutOff).await.is_err() {
                // Nobody is there to cut it off.
                std::future::pending::<()>().await;
            }
        };
        let done = tokio::select! {
            biased;
            done = work => done,
            () = cut_off => Err("it was cut off: it went on for longer than SCHEDULE_GRACE when it was to stop".to_owned()),
        };
        let outcome = match done {
            Ok(()) => {
                self.hooks("on_success", &terms.on_success, app).await;
                Outcome::Done
            }
            Err(error) => {
                let failed = TaskFailed { task: entry.name.clone(), due: self.due, error: error.clone() };
                for hook in &terms.on_failure {
                    self.hook("on_failure", caught(hook(&failed, app)).await);
                }
                self.failed(app, error)
            }
        };
        self.hooks("after", &terms.after, app).await;
        outcome
    }

    async fn hooks(&self, which: &'static str, hooks: &[Call<()>], app: &Container) {
        for hook in hooks {
            self.hook(which, caught(hook(app)).await);
        }
    }

    fn hook(&self, which: &'static str, done: Result<(), String>) {
        if let Err(error) = done {
            tracing::error!(task = self.entry.name, hook = which, error, "a hook of a scheduled task failed");
        }
    }

    /// Tells whoever listens.
    fn failed(&self, app: &Container, error: String) -> Outcome {
        if app.bound::<dyn SignalSink>()
            && let Ok(sink) = app.make::<dyn SignalSink>()
        {
            let sink: Arc<dyn SignalSink> = sink;
            let (task, due) = (self.entry.name.clone(), self.due);
            sink.raise(Signal::new(TaskFailed { task, due, error: error.clone() }));
        }
        Outcome::Failed { error }
    }
}

/// What the fence answers. Where it does not, it is asked a few times. It is so apart from the run's scope: what is written there is
/// no write of the task's, after which it would read from the primary.
pub(super) async fn asked<'a, T>(
    app: &Container,
    ask: impl Fn() -> BoxFuture<'a, Result<T, FenceError>>,
) -> Result<T, FenceError> {
    let apart = Ambient::new(app.with_scope(Arc::new(Scope::new())));
    let mut tries = 1;
    loop {
        match enter(apart.clone(), ask()).await {
            Err(_) if tries < TRIES => sleep(PAUSE * tries).await,
            answer => return answer,
        }
        tries += 1;
    }
}

fn not_run(error: impl std::fmt::Display) -> String {
    format!("it was not run: {error}")
}

/// What it returns; an error or a panic as a text, with what led to it.
async fn caught<T>(work: impl Future<Output = Result<T, BoxError>>) -> Result<T, String> {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(with_causes(&*error)),
        Err(panic) => Err(format!("it panicked: {}", panic_message(&*panic))),
    }
}
