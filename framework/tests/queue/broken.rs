//! Drivers that are wrong on purpose: the suite has to notice each of them.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::{BoxFuture, FutureExt};
use paravel::queue::{
    Claim, Claimed, Depth, Driver, DriverError, Durability, FailedJobs, JobId, Message, Outcome, Pushed, Settled,
    Settlement, Tended, Token,
};
use uuid::Uuid;

use super::{SUITE, Stand};

pub type Test = fn(Stand) -> BoxFuture<'static, ()>;

#[derive(Clone, Copy, PartialEq)]
enum Fault {
    /// Whoever settles is believed to have the job.
    NoFencing,
    /// A job that is claimed is nowhere but with its worker.
    PopThenPush,
    /// An end is answered, and not carried out.
    LostAck,
}

/// A driver in memory with one fault.
struct Broken {
    inner: Arc<dyn Driver>,
    fault: Fault,
    tokens: Mutex<HashMap<JobId, Token>>,
    popped: Mutex<HashMap<JobId, Message>>,
}

impl Driver for Broken {
    fn push(&self, messages: Vec<Message>) -> BoxFuture<'_, Result<Vec<Pushed>, DriverError>> {
        self.inner.push(messages)
    }

    fn claim<'a>(&'a self, claim: Claim<'a>) -> BoxFuture<'a, Result<Vec<Claimed>, DriverError>> {
        async move {
            let claimed = self.inner.claim(claim).await?;
            for claimed in &claimed {
                self.tokens.lock().unwrap().insert(claimed.message.id, claimed.token);
            }
            if self.fault == Fault::PopThenPush {
                for Claimed { message, token, .. } in &claimed {
                    let (id, queue) = (message.id, message.queue.clone());
                    self.inner.settle(vec![Settlement { id, queue, token: *token, outcome: Outcome::Done }]).await?;
                    self.popped.lock().unwrap().insert(id, message.clone());
                }
            }
            Ok(claimed)
        }
        .boxed()
    }

    fn settle(&self, mut settlements: Vec<Settlement>) -> BoxFuture<'_, Result<Vec<Settled>, DriverError>> {
        async move {
            match self.fault {
                Fault::NoFencing => {
                    for settlement in &mut settlements {
                        if let Some(token) = self.tokens.lock().unwrap().get(&settlement.id) {
                            settlement.token = *token;
                        }
                    }
                    self.inner.settle(settlements).await
                }
                Fault::PopThenPush => {
                    let mut settled = Vec::new();
                    for Settlement { id, outcome, .. } in settlements {
                        let popped = self.popped.lock().unwrap().remove(&id);
                        settled.push(if popped.is_some() { Settled::Done } else { Settled::Stale });
                        if let (Some(message), Outcome::Retry { .. } | Outcome::Release { .. }) = (popped, outcome) {
                            self.inner.push(vec![message]).await?;
                        }
                    }
                    Ok(settled)
                }
                Fault::LostAck => Ok(vec![Settled::Done; settlements.len()]),
            }
        }
        .boxed()
    }

    fn beat(&self, worker: Uuid, lives: Duration) -> BoxFuture<'_, Result<(), DriverError>> {
        self.inner.beat(worker, lives)
    }

    fn tend<'a>(&'a self, queues: &'a [String]) -> BoxFuture<'a, Result<Tended, DriverError>> {
        self.inner.tend(queues)
    }

    fn wait<'a>(&'a self, queues: &'a [String], longest: Duration) -> BoxFuture<'a, ()> {
        self.inner.wait(queues, longest)
    }

    fn depth<'a>(&'a self, queue: &'a str) -> BoxFuture<'a, Result<Depth, DriverError>> {
        self.inner.depth(queue)
    }

    fn clear<'a>(&'a self, queue: &'a str) -> BoxFuture<'a, Result<u64, DriverError>> {
        self.inner.clear(queue)
    }

    fn failed(&self) -> &dyn FailedJobs {
        self.inner.failed()
    }

    fn durability(&self) -> Durability {
        self.inner.durability()
    }
}

/// The tests of the suite that a driver does not pass.
async fn fails(stand: impl Fn() -> Stand) -> Vec<&'static str> {
    let mut failed = Vec::new();
    for (name, test) in SUITE {
        if AssertUnwindSafe(test(stand())).catch_unwind().await.is_err() {
            failed.push(*name);
        }
    }
    failed
}

fn broken(fault: Fault) -> Stand {
    let stand = Stand::memory();
    let inner = Arc::clone(&stand.driver);
    Stand { driver: Arc::new(Broken { inner, fault, tokens: Mutex::default(), popped: Mutex::default() }), ..stand }
}

#[tokio::test(start_paused = true)]
async fn a_driver_without_fencing_is_found_out() {
    let failed = fails(|| broken(Fault::NoFencing)).await;
    assert!(failed.contains(&"an_older_claim_changes_nothing"), "{failed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_pops_and_pushes_back_is_found_out() {
    let failed = fails(|| broken(Fault::PopThenPush)).await;
    assert!(failed.contains(&"what_the_dead_had_is_claimed_again_and_what_the_living_have_is_not"), "{failed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_driver_that_loses_the_end_of_a_job_is_found_out() {
    let failed = fails(|| broken(Fault::LostAck)).await;
    assert!(failed.contains(&"what_is_done_is_gone"), "{failed:?}");
}

#[tokio::test(start_paused = true)]
async fn a_dispatch_that_does_not_wait_for_the_commit_is_found_out() {
    let early = |queue: &paravel::queue::Queue, message| {
        let _ = queue.driver().push(vec![message]).now_or_never();
    };
    let failed = fails(|| Stand { in_transaction: early, ..Stand::memory() }).await;
    assert_eq!(failed, ["a_transactions_jobs_wait_for_its_commit"]);
}
