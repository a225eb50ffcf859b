//! Drivers that are wrong on purpose: the suite has to notice each of them.

use std::{
    collections::HashMap,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::future::{BoxFuture, FutureExt};
use paravel::queue::{
    Beat, Driver, DriverError, Durability, JobId, Message, Orders, Outcome, Push, Pushed, QueueAdmin, Receipt, Settled,
    Settlement, Tended, Turn, Turned,
};

use super::{SUITE, Stand, forwards::forwards};

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
    receipts: Mutex<HashMap<JobId, Receipt>>,
    popped: Mutex<HashMap<JobId, Message>>,
}

impl Broken {
    async fn settle(&self, ends: &[Settlement]) -> Result<Vec<Settled>, DriverError> {
        let mut ends = ends.to_vec();
        match self.fault {
            Fault::NoFencing => {
                for end in &mut ends {
                    if let Some(receipt) = self.receipts.lock().unwrap().get(&end.id) {
                        end.receipt = receipt.clone();
                    }
                }
                Ok(self.inner.turn(telling(&ends)).await?.settled)
            }
            Fault::PopThenPush => {
                let mut settled = Vec::new();
                for Settlement { id, outcome, .. } in ends {
                    let popped = self.popped.lock().unwrap().remove(&id);
                    settled.push(if popped.is_some() { Settled::Done } else { Settled::Stale });
                    if let (Some(message), Outcome::Retry { .. } | Outcome::Release { .. }) = (popped, outcome) {
                        self.inner.push(vec![message].into()).await?;
                    }
                }
                Ok(settled)
            }
            Fault::LostAck => Ok(vec![Settled::Done; ends.len()]),
        }
    }
}

fn telling(ends: &[Settlement]) -> Turn<'_> {
    Turn { worker: uuid::Uuid::nil(), ends, queues: &[], most: 0 }
}

impl Driver for Broken {
    forwards!(inner: push, beat, tend, wait, durability, admin);

    fn turn<'a>(&'a self, turn: Turn<'a>) -> BoxFuture<'a, Result<Turned, DriverError>> {
        async move {
            let settled = self.settle(turn.ends).await?;
            let claimed = self.inner.turn(Turn { ends: &[], ..turn }).await?.claimed;
            for claimed in &claimed {
                self.receipts.lock().unwrap().insert(claimed.message.id, claimed.receipt.clone());
                if self.fault == Fault::PopThenPush {
                    self.inner.turn(telling(&[claimed.end(Outcome::DONE)])).await?;
                    self.popped.lock().unwrap().insert(claimed.message.id, claimed.message.clone());
                }
            }
            Ok(Turned { settled, claimed })
        }
        .boxed()
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
    Stand { driver: Arc::new(Broken { inner, fault, receipts: Mutex::default(), popped: Mutex::default() }), ..stand }
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
        let _ = queue.driver().push(vec![message].into()).now_or_never();
    };
    let failed = fails(|| Stand { in_transaction: early, ..Stand::memory() }).await;
    assert_eq!(failed, ["a_transactions_jobs_wait_for_its_commit"]);
}
