//! Chains, batches, and jobs that go on where they were.

use std::{sync::Arc, time::Duration};

use paravel::{
    job,
    queue::{Batch, Chain, JobRun},
    support::{BoxError, Clock},
};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::worker::{Bench, Seen};

/// A job that says what it was.
#[derive(Serialize, Deserialize)]
pub struct Say {
    what: String,
}

pub fn say(what: &str) -> Say {
    Say { what: what.to_owned() }
}

#[job(name = "test.say", queue = "harbour", tries = 1, backoff = ["1s", "2s"])]
impl Say {
    async fn handle(self, seen: Option<Arc<Seen>>, run: &JobRun) -> Result<(), BoxError> {
        let seen = seen.ok_or("nothing is seen here")?;
        if self.what == "grows" {
            run.add_to_batch([say("more"), say("and more")]).await?;
        }
        seen.ran.lock().push(self.what.clone());
        if self.what.starts_with("fails") { Err("as it has to".into()) } else { Ok(()) }
    }
}

/// Counts to five, and no further than one more each time.
#[derive(Serialize, Deserialize)]
struct Climb {
    step: u32,
    fails: bool,
}

#[job(tries = 9, backoff = "1s")]
impl Climb {
    async fn handle(mut self, seen: Option<Arc<Seen>>, run: &JobRun) -> Result<(), BoxError> {
        let seen = seen.ok_or("nothing is seen here")?;
        seen.ran.lock().push(format!("step {} attempt {}", self.step, run.attempt()));
        self.step += 1;
        run.checkpoint(&self)?;
        match (self.step, self.fails) {
            (3, _) => Ok(()),
            (_, true) => Err("slipped".into()),
            (_, false) => {
                run.release(Duration::ZERO);
                Ok(())
            }
        }
    }
}

/// Waits to be stopped, and keeps how far it has come.
#[derive(Serialize, Deserialize)]
struct Patient {
    has_begun: bool,
}

#[job]
impl Patient {
    async fn handle(self, seen: Option<Arc<Seen>>, run: &JobRun) -> Result<(), BoxError> {
        let seen = seen.ok_or("nothing is seen here")?;
        seen.ran.lock().push(format!("has begun: {}", self.has_begun));
        if self.has_begun {
            return Ok(());
        }
        run.checkpoint(&Self { has_begun: true })?;
        std::future::pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_chain_goes_on_as_each_is_done() {
    let bench = Bench::new();
    let began = bench.stand.clock.now();
    let chain = Chain::new().job(say("one")).job_with(say("two"), |options| options.after(Duration::from_secs(60)));
    bench.queue.chain(chain.job(say("three"))).await.unwrap();
    assert_eq!(bench.queue.depth("harbour").await.unwrap().total(), 1, "the rest is in the first");
    assert_eq!(bench.work().await.done, 3);
    assert_eq!(bench.ran(), ["one", "two", "three"]);
    let took = (bench.stand.clock.now().utc() - began.utc()).num_seconds();
    assert!((60..63).contains(&took), "{took}");
}

#[tokio::test(start_paused = true)]
async fn a_failure_ends_a_chain() {
    let bench = Bench::new();
    bench.queue.chain(Chain::new().job(say("one")).job(say("fails")).job(say("three"))).await.unwrap();
    let report = bench.work().await;
    assert_eq!((report.done, report.failed), (1, 1));
    assert_eq!(bench.ran(), ["one", "fails"]);
    // When it is tried again and done, so is what follows.
    let failed = bench.queue.failed().await.unwrap();
    assert_eq!(bench.queue.retry(&[failed[0].message.id]).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_batch_says_how_far_it_is_and_what_follows() {
    let bench = Bench::new();
    let batch = Batch::new("fleet").jobs([say("a"), say("grows")]).then(say("then")).catch(say("catch"));
    let id = bench.queue.batch(batch.finally(say("finally"))).await.unwrap();
    let status = bench.queue.find_batch(id).await.unwrap().unwrap();
    assert_eq!((&*status.name, status.total, status.pending, status.progress()), ("fleet", 2, 2, 0.0));
    bench.work().await;
    let mut ran = bench.ran();
    ran.sort_unstable();
    assert_eq!(ran, ["a", "and more", "finally", "grows", "more", "then"]);
    let status = bench.queue.find_batch(id).await.unwrap().unwrap();
    assert_eq!((status.total, status.pending, status.progress()), (4, 0, 1.0));
    assert!(status.finished_at.is_some() && !bench.queue.cancel_batch(id).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn chains_and_batches_are_made_of_each_other() {
    let bench = Bench::new();
    let inner = Batch::new("inner").job(say("b1")).job(say("b2")).then(say("inner done"));
    let chain = Chain::new().job(say("a")).batch(inner).job(say("c"));
    let outer = Batch::new("outer").chain(chain).batch(Batch::new("other").job(say("d"))).batch(Batch::new("empty"));
    let id = bench.queue.batch(outer.then(say("outer done"))).await.unwrap();
    assert_eq!(bench.queue.find_batch(id).await.unwrap().unwrap().total, 2, "what is empty is no member");
    bench.work().await;
    let ran = bench.ran();
    let place = |what: &str| ran.iter().position(|ran| ran == what).unwrap_or_else(|| panic!("{what}: {ran:?}"));
    assert!(place("a") < place("b1") && place("b1").max(place("b2")) < place("c"), "{ran:?}");
    assert_eq!((place("outer done"), ran.len()), (6, 7), "{ran:?}");
    assert_eq!(bench.queue.find_batch(id).await.unwrap().unwrap().failed, 0);
}

#[tokio::test(start_paused = true)]
async fn what_fails_within_fails_what_it_is_in() {
    let bench = Bench::new();
    let inner = Batch::new("inner").job(say("fails")).then(say("never"));
    let chain = Chain::new().job(say("a")).batch(inner).job(say("never"));
    let outer = Batch::new("outer").chain(chain).then(say("never")).catch(say("caught")).finally(say("finally"));
    let id = bench.queue.batch(outer).await.unwrap();
    bench.work().await;
    let mut ran = bench.ran();
    ran.sort_unstable();
    assert_eq!(ran, ["a", "caught", "fails", "finally"]);
    let status = bench.queue.find_batch(id).await.unwrap().unwrap();
    assert_eq!((status.total, status.pending, status.failed), (1, 0, 1));
    assert!(status.cancelled_at.is_some() && status.finished_at.is_some());
}

#[tokio::test(start_paused = true)]
async fn members_of_a_cancelled_batch_are_not_run() {
    let bench = Bench::new();
    let id = bench.queue.batch(Batch::new("fleet").jobs([say("a"), say("b")]).finally(say("finally"))).await.unwrap();
    assert!(bench.queue.cancel_batch(id).await.unwrap());
    let report = bench.work().await;
    assert_eq!((report.cancelled, report.done), (2, 1));
    assert_eq!(bench.ran(), ["finally"]);
}

#[tokio::test(start_paused = true)]
async fn a_job_goes_on_where_it_was() {
    let bench = Bench::new();
    bench.queue.dispatch(Climb { step: 0, fails: false }).await.unwrap();
    bench.work().await;
    assert_eq!(bench.ran(), ["step 0 attempt 1", "step 1 attempt 1", "step 2 attempt 1"]);
    let bench = Bench::new();
    bench.queue.dispatch(Climb { step: 0, fails: true }).await.unwrap();
    bench.work().await;
    assert_eq!(bench.ran(), ["step 0 attempt 1", "step 1 attempt 2", "step 2 attempt 3"]);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_cut_off_goes_on_from_what_it_has_kept() {
    let bench = Bench::new();
    bench.queue.dispatch(Patient { has_begun: false }).await.unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let worker = paravel::spawn(bench.worker(&[("QUEUE_GRACE", "1s")]).run(async move {
        let _ = stopped.await;
    }));
    while bench.ran().is_empty() {
        bench.stand.advance(Duration::from_millis(10)).await;
    }
    drop(stop);
    assert_eq!(worker.await.unwrap().released, 1);
    bench.work().await;
    assert_eq!(bench.ran(), ["has begun: false", "has begun: true"]);
}
