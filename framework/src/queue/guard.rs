use std::{sync::Arc, time::Duration};

use tokio::{task::JoinHandle, time::interval};
use uuid::Uuid;

use super::{Job, JobRun};
use crate::{
    cache::{Attempt, Cache, Limit, Lock},
    container::Container,
    support::BoxError,
};

/// For how long a place is taken by a worker that does not say again that it has it, and how often one says so.
const LEASE: Duration = Duration::from_secs(15);
const KEEP: Duration = Duration::from_secs(5);

/// How long a job goes back for that finds no place, and one that cannot be told whether there is one.
const NO_PLACE: Duration = Duration::from_secs(1);
const CANNOT_TELL: Duration = Duration::from_secs(10);

/// So many jobs of a kind and a key in so long, over all workers that share the application's default cache. Where that cache cannot
/// be asked none runs.
///
/// ```
/// use paravel::{cache::Limit, queue::RateLimit};
///
/// let mails = RateLimit::new("example.com", Limit::per_minute(100));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateLimit {
    pub(super) key: String,
    pub(super) limit: Limit,
}

impl RateLimit {
    /// So much for this key.
    pub fn new(key: impl Into<String>, limit: Limit) -> Self {
        Self { key: key.into(), limit }
    }
}

/// So many jobs of a kind and a key at once, over all workers that share the application's default cache. Where that cache cannot be
/// asked none runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concurrency {
    pub(super) key: String,
    pub(super) most: u32,
}

impl Concurrency {
    /// So many at once of this key, from 1.
    pub fn new(key: impl Into<String>, most: u32) -> Self {
        Self { key: key.into(), most: most.max(1) }
    }
}

/// That a job may run; its place is free again when this is dropped.
pub(super) struct Permit(#[expect(dead_code, reason = "kept for as long as the job runs")] Option<Place>);

/// Lets a job run, or has it go back.
pub(super) async fn admit<J: Job>(job: &J, app: &Container, run: &JobRun) -> Result<Option<Permit>, BoxError> {
    let (rate, concurrency) = (job.rate_limit(), job.concurrency());
    if rate.is_none() && concurrency.is_none() {
        return Ok(Some(Permit(None)));
    }
    let cache: Arc<Cache> = app.make()?;
    match ask(J::NAME, &cache, rate, concurrency).await {
        Ok(Ok(permit)) => return Ok(Some(permit)),
        Ok(Err(after)) => run.release(after),
        Err(error) => {
            tracing::error!(%error, job = J::NAME, "whether a job may run cannot be told, so it goes back");
            run.release(CANNOT_TELL);
        }
    }
    Ok(None)
}

/// A permit, or how long to go back for.
async fn ask(
    kind: &str,
    cache: &Cache,
    rate: Option<RateLimit>,
    concurrency: Option<Concurrency>,
) -> Result<Result<Permit, Duration>, BoxError> {
    // A place first: what then finds it is too soon has not used up any of what it may.
    let place = match concurrency {
        Some(Concurrency { key, most }) => match Place::take(kind, &key, most, cache).await? {
            Some(place) => Some(place),
            None => return Ok(Err(NO_PLACE)),
        },
        None => None,
    };
    if let Some(RateLimit { key, limit }) = rate
        && let Attempt::Refused { retry_after } = cache.limiter(&format!("job.{kind}"), limit).attempt(&key).await?
    {
        return Ok(Err(retry_after.max(Duration::from_millis(1))));
    }
    Ok(Ok(Permit(place)))
}

/// One of so many places, which is kept for as long as this is there.
struct Place {
    lock: Lock,
    keeper: JoinHandle<()>,
}

impl Place {
    async fn take(kind: &str, key: &str, most: u32, cache: &Cache) -> Result<Option<Self>, BoxError> {
        // Not all of them from the first on, which then is asked for most.
        let first = Uuid::new_v4().as_fields().0 % most;
        for place in (first..most).chain(0..first) {
            let lock = cache.lock(&format!("job.{kind}:{key}:{place}"), LEASE);
            if lock.acquire().await? {
                let keeper = crate::spawn(keep(lock.clone()));
                return Ok(Some(Self { lock, keeper }));
            }
        }
        Ok(None)
    }
}

async fn keep(lock: Lock) {
    let mut ticks = interval(KEEP);
    ticks.tick().await;
    loop {
        ticks.tick().await;
        match lock.acquire().await {
            Ok(true) => {}
            Ok(false) => tracing::warn!(
                "a job runs on whose place was taken: this process stood still for longer than its lease"
            ),
            // It is tried again, before the lease is over.
            Err(error) => tracing::warn!(%error, "the place of a job that runs could not be kept"),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.keeper.abort();
        let lock = self.lock.clone();
        // Else it is free when its lease is over.
        drop(crate::spawn(async move {
            if let Err(error) = lock.release().await {
                tracing::warn!(%error, "the place of a job that has ended could not be given back");
            }
        }));
    }
}
