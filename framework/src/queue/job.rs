use std::{future::Future, time::Duration};

use futures_util::future::{BoxFuture, FutureExt};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{JobRun, Priority, UniqueUntil, envelope::Body};
use crate::{
    container::{Container, Dependencies, DependencyInfo, Resolver, Root},
    support::BoxError,
};

/// Something to be done later, elsewhere, or again until it works: a serde struct of what it needs to know, and what it does.
///
/// It runs **at least once**: one whose worker is killed, or whose lease runs out, runs again. What must not happen twice belongs
/// in one transaction with a mark that it has happened.
///
/// ```
/// use std::sync::Arc;
/// use paravel::{queue::{Job, JobRun}, support::BoxError};
/// use serde::{Deserialize, Serialize};
///
/// struct Harbour;
///
/// #[derive(Serialize, Deserialize)]
/// struct Moor {
///     ship: String,
/// }
///
/// impl Job for Moor {
///     const NAME: &'static str = "harbour.moor";
///     const TRIES: u32 = 5;
///     type Dependencies = (Arc<Harbour>,);
///
///     async fn handle(self, (harbour,): Self::Dependencies, run: &JobRun) -> Result<(), BoxError> {
///         tracing::info!(ship = self.ship, attempt = run.attempt(), "mooring");
///         # let _ = harbour;
///         Ok(())
///     }
/// }
///
/// paravel::job!(Moor);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a job",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it and implement `paravel::queue::Job`"
)]
pub trait Job: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// Its kind, under which it is stored: jobs that wait are known by it, also by the next release.
    const NAME: &'static str;
    /// In which queue it waits.
    const QUEUE: &'static str = "default";
    /// Before which others of its queue.
    const PRIORITY: Priority = Priority::Normal;
    /// How often it is tried at most, from 1.
    const TRIES: u32 = 3;
    /// How long to wait after each attempt that failed.
    const BACKOFF: Backoff = Backoff::DEFAULT;
    /// How long one attempt may take.
    const TIMEOUT: Duration = Duration::from_secs(60);
    /// How long after its dispatch it is tried at most, however many tries are left.
    const RETRY_FOR: Option<Duration> = None;
    /// Which form its fields have. Another one than was stored goes through [`upcast`](Self::upcast).
    const VERSION: u16 = 1;
    /// The services that it needs, as a tuple; `()` for none.
    type Dependencies: Dependencies + Send;

    /// Does it. An error has it tried again.
    fn handle(
        self,
        dependencies: Self::Dependencies,
        run: &JobRun,
    ) -> impl Future<Output = Result<(), BoxError>> + Send;

    /// The key beside which no other job of this kind is to wait or run; `None` for as many as like.
    fn unique(&self) -> Option<UniqueKey> {
        None
    }

    /// The job that was stored in an older [form](Self::VERSION).
    ///
    /// # Errors
    /// Where that form is not known any more. The job is put with the failed ones.
    fn upcast(version: u16, _fields: Value) -> Result<Self, BoxError> {
        Err(format!("`{}` has no way to read its form {version}: implement `Job::upcast`", Self::NAME).into())
    }
}

/// What makes a job unique among those of its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UniqueKey {
    /// Of which there is one.
    pub key: String,
    /// For how long at most: a job that is lost must not keep others out for ever.
    pub lasts: Duration,
    /// Until when.
    pub until: UniqueUntil,
}

impl UniqueKey {
    /// A key that is taken until the job is done, for an hour at most.
    pub fn new(key: impl Into<String>) -> Self {
        Self { key: key.into(), lasts: Duration::from_secs(3600), until: UniqueUntil::Done }
    }

    /// For so long at most.
    #[must_use]
    pub fn lasting(self, lasts: Duration) -> Self {
        Self { lasts, ..self }
    }

    /// Until a worker begins with the job.
    #[must_use]
    pub fn until_start(self) -> Self {
        Self { until: UniqueUntil::Start, ..self }
    }
}

/// How long to wait after an attempt that failed, before the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Backoff {
    /// Always as long.
    Fixed(Duration),
    /// Twice as long each time, from the first to the second.
    Exponential(Duration, Duration),
}

impl Backoff {
    /// From five seconds to an hour.
    pub const DEFAULT: Self = Self::Exponential(Duration::from_secs(5), Duration::from_secs(3600));

    /// How long to wait after this attempt, from 1. The true wait is up to a quarter longer, so that jobs that failed together
    /// do not come back together.
    pub fn after(self, attempt: u32) -> Duration {
        match self {
            Self::Fixed(wait) => wait,
            Self::Exponential(first, longest) => {
                let factor = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
                first.saturating_mul(factor).min(longest)
            }
        }
    }
}

type Run = for<'a> fn(Body<'a>, &'a Container, &'a JobRun) -> BoxFuture<'a, Result<(), BoxError>>;

/// A kind of job without its type.
#[derive(Clone, Copy)]
pub struct JobEntry {
    pub(super) name: &'static str,
    dependencies: fn() -> Vec<DependencyInfo>,
    pub(super) run: Run,
}

inventory::collect!(JobEntry);

impl JobEntry {
    /// The entry of `J`.
    pub const fn of<J: Job>() -> Self {
        Self {
            name: J::NAME,
            dependencies: J::Dependencies::infos,
            run: |body, app, run| execute::<J>(body, app, run).boxed(),
        }
    }

    /// What it needs, for verification.
    pub fn root(&self) -> Root {
        Root { kind: "job", name: self.name.to_owned(), dependencies: (self.dependencies)() }
    }
}

async fn execute<J: Job>(body: Body<'_>, container: &Container, run: &JobRun) -> Result<(), BoxError> {
    let job = if body.version == J::VERSION { body.read::<J>()? } else { J::upcast(body.version, body.read()?)? };
    let dependencies = J::Dependencies::resolve(&Resolver::new(container))?;
    job.handle(dependencies, run).await
}

/// Registers a [`Job`] with the application that this crate is linked into.
///
/// `job!(Moor)` is, by hand, `inventory::submit! { JobEntry::of::<Moor>() }`; the explicit twin is `ApplicationBuilder::job`.
#[macro_export]
macro_rules! job {
    ($job:ty) => {
        $crate::__private::inventory::submit! {
            $crate::queue::JobEntry::of::<$job>()
        }
    };
}
