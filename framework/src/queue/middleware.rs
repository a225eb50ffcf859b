use futures_util::future::BoxFuture;

use super::JobRun;
use crate::support::BoxError;

/// Something that stands around jobs: it may do something before and after, or not let them run at all.
///
/// ```
/// use futures_util::future::{BoxFuture, FutureExt};
/// use paravel::{queue::{JobMiddleware, JobNext, JobRun}, support::BoxError};
///
/// /// Not while the tide is out.
/// struct AtHighTide;
///
/// impl JobMiddleware for AtHighTide {
///     fn handle<'a>(&'a self, run: &'a JobRun, next: JobNext<'a>) -> BoxFuture<'a, Result<(), BoxError>> {
///         async move {
///             let is_high = true;
///             if is_high {
///                 return next.run().await;
///             }
///             run.release(std::time::Duration::from_secs(3600));
///             Ok(())
///         }
///         .boxed()
///     }
/// }
/// ```
pub trait JobMiddleware: Send + Sync + 'static {
    /// Does what is to be done around `next`.
    fn handle<'a>(&'a self, run: &'a JobRun, next: JobNext<'a>) -> BoxFuture<'a, Result<(), BoxError>>;
}

/// The rest of what stands around a job, and the job.
#[must_use = "the job does not run unless this does"]
pub struct JobNext<'a> {
    rest: &'a [Box<dyn JobMiddleware>],
    run: &'a JobRun,
    job: BoxFuture<'a, Result<(), BoxError>>,
}

impl<'a> JobNext<'a> {
    pub(super) fn new(
        rest: &'a [Box<dyn JobMiddleware>],
        run: &'a JobRun,
        job: BoxFuture<'a, Result<(), BoxError>>,
    ) -> Self {
        Self { rest, run, job }
    }

    /// Goes on.
    ///
    /// # Errors
    /// The job's.
    pub async fn run(self) -> Result<(), BoxError> {
        match self.rest.split_first() {
            None => self.job.await,
            Some((first, rest)) => first.handle(self.run, JobNext { rest, ..self }).await,
        }
    }
}
