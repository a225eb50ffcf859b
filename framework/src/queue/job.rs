use std::{borrow::Cow, future::Future, sync::Arc, time::Duration};

use futures_util::future::{BoxFuture, FutureExt};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Concurrency, JobMiddleware, JobNext, JobRun, Priority, RateLimit, UniqueUntil, envelope::Body, guard};
use crate::{
    container::{Container, Dependencies, DependencyInfo, Resolver, Root},
    support::{BoxError, with_causes},
};

/// Something to be done later, elsewhere, or again until it works: a serde struct of what it needs to know, and what it does.
///
/// It runs **at least once**: one whose worker is killed, or whose lease runs out, runs again. What must not happen twice belongs
/// in one transaction with a mark that it has happened.
///
/// ```standalone_crate
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
/// #[paravel::job]
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
/// ```
///
/// [`job`](crate::job) on an `impl` of the type's own writes the constants and the tuple.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a job",
    note = "derive `serde::Serialize` and `serde::Deserialize` for it, and put `#[job]` on `impl {Self} {{ async fn handle(self) .. }}`"
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
    /// Whether its fields are encrypted with the application's key, so that whoever can read where jobs wait cannot read them.
    const ENCRYPTED: bool = false;
    /// Whether a dispatch inside a transaction waits for its commit, and is not made where that is rolled back.
    const AFTER_COMMIT: bool = true;
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

    /// How often jobs like this one may run, over all workers. Beyond that it goes back until it may, and that is no attempt.
    fn rate_limit(&self) -> Option<RateLimit> {
        None
    }

    /// How many jobs like this one may run at once, over all workers. Beyond that it goes back for a moment, and that is no
    /// attempt.
    fn concurrency(&self) -> Option<Concurrency> {
        None
    }

    /// What stands around it, the first outermost.
    fn middleware(&self) -> Vec<Box<dyn JobMiddleware>> {
        Vec::new()
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Backoff {
    /// Always as long.
    Fixed(Duration),
    /// Twice as long each time, from the first to the second.
    Exponential(Duration, Duration),
    /// So long after the first attempt, the second and so on; the last of them after all others.
    List(Cow<'static, [Duration]>),
}

impl Backoff {
    /// From five seconds to an hour.
    pub const DEFAULT: Self = Self::Exponential(Duration::from_secs(5), Duration::from_secs(3600));

    /// How long to wait after this attempt, from 1. The true wait is up to a quarter longer, so that jobs that failed together
    /// do not come back together.
    pub fn after(&self, attempt: u32) -> Duration {
        match self {
            Self::Fixed(wait) => *wait,
            Self::Exponential(first, longest) => {
                let factor = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
                first.saturating_mul(factor).min(*longest)
            }
            Self::List(waits) => {
                let index = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
                waits.get(index).or(waits.last()).copied().unwrap_or_default()
            }
        }
    }
}

type Run = for<'a> fn(Body<'a>, &'a Container, &'a JobRun) -> BoxFuture<'a, Result<(), BoxError>>;
type RunDynamic =
    Arc<dyn for<'a> Fn(Body<'a>, &'a Container, &'a JobRun) -> BoxFuture<'a, Result<(), BoxError>> + Send + Sync>;

/// A kind of job without its type.
#[derive(Clone)]
pub struct JobEntry {
    name: Cow<'static, str>,
    queue: Cow<'static, str>,
    how: How,
}

#[derive(Clone)]
enum How {
    Job { dependencies: fn() -> Vec<DependencyInfo>, run: Run, check: Check },
    // What has dependencies of its own says so itself.
    Other { run: RunDynamic, check: CheckDynamic },
}

type Check = for<'a> fn(Body<'a>) -> Result<(), BoxError>;
type CheckDynamic = Arc<dyn for<'a> Fn(Body<'a>) -> Result<(), BoxError> + Send + Sync>;

inventory::collect!(JobEntry);

impl JobEntry {
    /// The entry of `J`.
    pub const fn of<J: Job>() -> Self {
        Self {
            name: Cow::Borrowed(J::NAME),
            queue: Cow::Borrowed(J::QUEUE),
            how: How::Job {
                dependencies: J::Dependencies::infos,
                run: |body, app, run| execute::<J>(body, app, run).boxed(),
                check: |body| read::<J>(body).map(drop),
            },
        }
    }

    /// An entry of something else that runs as a job.
    pub(crate) fn other(
        name: String,
        queue: String,
        check: impl Fn(Body<'_>) -> Result<(), BoxError> + Send + Sync + 'static,
        run: impl for<'a> Fn(Body<'a>, &'a Container, &'a JobRun) -> BoxFuture<'a, Result<(), BoxError>>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self { name: name.into(), queue: queue.into(), how: How::Other { run: Arc::new(run), check: Arc::new(check) } }
    }

    /// Its kind.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// In which queue it waits where nothing else is said.
    pub fn queue(&self) -> &str {
        &self.queue
    }

    /// What it needs, for verification.
    pub fn root(&self) -> Root {
        let dependencies = match &self.how {
            How::Job { dependencies, .. } => dependencies(),
            How::Other { .. } => Vec::new(),
        };
        Root { kind: "job", name: self.name.clone().into_owned(), dependencies }
    }

    pub(super) fn run<'a>(
        &self,
        body: Body<'a>,
        app: &'a Container,
        run: &'a JobRun,
    ) -> BoxFuture<'a, Result<(), BoxError>> {
        match &self.how {
            How::Job { run: execute, .. } => execute(body, app, run),
            How::Other { run: execute, .. } => execute(body, app, run),
        }
    }

    /// Whether this build can read the fields of such a job.
    pub(super) fn check(&self, body: Body<'_>) -> Result<(), BoxError> {
        match &self.how {
            How::Job { check, .. } => check(body),
            How::Other { check, .. } => check(body),
        }
    }
}

/// Why a job whose fields cannot be read has failed.
pub(crate) fn unreadable(error: &BoxError) -> String {
    format!("its fields cannot be read: {}", with_causes(&**error))
}

fn read<J: Job>(body: Body<'_>) -> Result<J, BoxError> {
    if body.version == J::VERSION { body.read() } else { J::upcast(body.version, body.read()?) }
}

async fn execute<J: Job>(body: Body<'_>, container: &Container, run: &JobRun) -> Result<(), BoxError> {
    let job = match read::<J>(body) {
        Ok(job) => job,
        Err(error) => {
            // It would be no other at the next attempt.
            run.fail(unreadable(&error));
            return Ok(());
        }
    };
    let Some(_permit) = guard::admit::<J>(&job, container, run).await? else { return Ok(()) };
    let middleware = job.middleware();
    let handled = async {
        let dependencies = J::Dependencies::resolve(&Resolver::new(container))?;
        job.handle(dependencies, run).await
    };
    if middleware.is_empty() {
        return handled.await;
    }
    JobNext::new(&middleware, run, handled.boxed()).run().await
}
