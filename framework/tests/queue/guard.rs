//! What lets jobs run, and what stands around them.

use std::{sync::Arc, time::Duration};

use futures_util::future::{BoxFuture, FutureExt};
use paravel::{
    cache::Limit,
    job,
    queue::{Concurrency, JobMiddleware, JobNext, JobRun, RateLimit},
    support::{BoxError, Clock},
};
use serde::{Deserialize, Serialize};

use super::worker::{Bench, Seen};

/// Two a minute of each key.
#[derive(Serialize, Deserialize)]
struct Rated(String);

#[job]
impl Rated {
    async fn handle(self, seen: Option<Arc<Seen>>, run: &JobRun) -> Result<(), BoxError> {
        let seen = seen.ok_or("nothing is seen here")?;
        seen.ran.lock().push(format!("{} {}", self.0, run.attempt()));
        Ok(())
    }

    fn rate_limit(&self) -> Option<RateLimit> {
        Some(RateLimit::new(self.0.clone(), Limit::per_minute(2)))
    }
}

/// Two at once.
#[derive(Serialize, Deserialize)]
struct Narrow;

#[job(timeout = "1h")]
impl Narrow {
    async fn handle(self, seen: Option<Arc<Seen>>) -> Result<(), BoxError> {
        let seen = seen.ok_or("nothing is seen here")?;
        seen.enter();
        // Longer than a place is taken for by one who does not say again that it is.
        tokio::time::sleep(Duration::from_secs(40)).await;
        seen.leave();
        Ok(())
    }

    fn concurrency(&self) -> Option<Concurrency> {
        Some(Concurrency::new("strait", 2))
    }
}

struct Around(&'static str);

impl JobMiddleware for Around {
    fn handle<'a>(&'a self, run: &'a JobRun, next: JobNext<'a>) -> BoxFuture<'a, Result<(), BoxError>> {
        async move {
            if self.0 == "stops" {
                run.fail("it is not to run");
                return Ok(());
            }
            next.run().await.map_err(|error| format!("{}: {error}", self.0).into())
        }
        .boxed()
    }
}

#[derive(Serialize, Deserialize)]
struct Wrapped(bool);

#[job(tries = 1)]
impl Wrapped {
    async fn handle(self, seen: Option<Arc<Seen>>) -> Result<(), BoxError> {
        let seen = seen.ok_or("nothing is seen here")?;
        seen.ran.lock().push("wrapped".to_owned());
        Err("no".into())
    }

    fn middleware(&self) -> Vec<Box<dyn JobMiddleware>> {
        let inner = if self.0 { "stops" } else { "inner" };
        vec![Box::new(Around("outer")), Box::new(Around(inner))]
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_run_than_may_in_so_long() {
    let bench = Bench::new();
    let began = bench.stand.clock.now();
    let jobs = (0..5).map(|_| Rated("a".to_owned())).chain([Rated("b".to_owned())]);
    bench.queue.dispatch_many(jobs).await.unwrap();
    let report = bench.work().await;
    assert_eq!(report.done, 6);
    assert!(bench.ran().iter().all(|ran| ran.ends_with(" 1")), "to go back is no attempt");
    let took = (bench.stand.clock.now().utc() - began.utc()).num_seconds();
    assert!((120..130).contains(&took), "five of one key take two more minutes: {took}");
}

#[tokio::test(start_paused = true)]
async fn no_more_run_at_once_than_may() {
    let bench = Bench::new();
    bench.queue.dispatch_many((0..5).map(|_| Narrow)).await.unwrap();
    let report = bench.work().await;
    assert_eq!((report.done, bench.seen.most_at_once()), (5, 2));
}

#[tokio::test(start_paused = true)]
async fn middleware_stands_around_a_job_in_its_order() {
    let bench = Bench::new();
    bench.queue.dispatch(Wrapped(false)).await.unwrap();
    assert_eq!(bench.work().await.failed, 1);
    assert_eq!(bench.queue.failed().await.unwrap()[0].error, "outer: inner: no");
    bench.queue.dispatch(Wrapped(true)).await.unwrap();
    bench.work().await;
    assert_eq!(bench.ran(), ["wrapped"], "the second is not let through");
    let errors: Vec<_> = bench.queue.failed().await.unwrap().into_iter().map(|job| job.error).collect();
    assert!(errors.contains(&"it is not to run".to_owned()), "{errors:?}");
}
