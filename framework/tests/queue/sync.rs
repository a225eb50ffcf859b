//! Jobs that run where they are dispatched: what is made of them is what workers make of it.

use std::{sync::Arc, time::Duration};

use paravel::{
    container::Container,
    database::SqliteConn,
    job,
    queue::{Batch, Chain, JobRun, Queue, QueueError},
    support::BoxError,
};
use serde::{Deserialize, Serialize};

use super::{
    compose::say,
    undone,
    worker::{Bench, Count, Seen},
};
use crate::conformance::empty;

/// Adds a member that fails, and does not mind.
#[derive(Serialize, Deserialize)]
struct Careless;

#[job(name = "test.careless", queue = "harbour")]
impl Careless {
    async fn handle(self, seen: Option<Arc<Seen>>, run: &JobRun) -> Result<(), BoxError> {
        let seen = seen.ok_or("nothing is seen here")?;
        let added = run.add_to_batch([say("fails")]).await;
        seen.ran.lock().push(format!("careless: {}", added.unwrap_err()));
        Ok(())
    }
}

struct Here {
    bench: Bench,
    queue: Queue,
    app: Container,
}

impl Here {
    fn new() -> Self {
        let bench = Bench::new();
        Self { queue: bench.queue.clone().at_once(), app: bench.app.scope(), bench }
    }

    async fn chain(&self, chain: Chain) -> Result<(), QueueError> {
        self.app.run(self.queue.chain(chain)).await
    }

    async fn batch(&self, batch: Batch) -> Result<(), QueueError> {
        self.app.run(self.queue.batch(batch)).await.map(drop)
    }

    /// Of which jobs it was heard that they failed for good.
    fn heard(&self) -> Vec<String> {
        self.bench.seen.failed.lock().iter().map(|failed| format!("{}: {}", failed.kind, failed.error)).collect()
    }
}

const AS_IT_HAS_TO: &str = "the job `test.say` failed: as it has to";

#[tokio::test]
async fn a_chain_runs_to_its_end_or_its_first_failure() {
    let here = Here::new();
    let later = Chain::new().job(say("one")).job_with(say("two"), |options| options.after(Duration::from_secs(60)));
    here.chain(later.job(say("three"))).await.unwrap();
    assert_eq!(here.bench.ran(), ["one", "two", "three"]);
    let fails = Chain::new().job(say("four")).job(say("fails")).job(say("never"));
    assert_eq!(here.chain(fails).await.unwrap_err().to_string(), AS_IT_HAS_TO);
    assert_eq!(here.bench.ran()[3..], ["four", "fails"]);
    assert_eq!(here.heard(), ["test.say: as it has to"]);
    // There is nowhere to go back to, and nothing is tried again.
    let here = Here::new();
    let back = here.chain(Chain::new().job(Count::of("releases")).job(say("never"))).await.unwrap_err().to_string();
    assert!(back.starts_with("the job `test.count` failed: it went back, and "), "{back}");
    here.chain(Chain::new().job(Count::of("works later"))).await.unwrap_err();
    assert_eq!(here.bench.ran(), ["releases 1", "works later 1"]);
    assert_eq!(here.heard().len(), 2);
}

#[tokio::test]
async fn a_batch_ends_with_its_last_member_and_has_what_follows() {
    let here = Here::new();
    let batch = || Batch::new("fleet").then(say("then")).catch(say("catch")).finally(say("finally"));
    here.batch(batch().jobs([say("a"), say("grows"), say("b")])).await.unwrap();
    assert_eq!(here.bench.ran(), ["a", "more", "and more", "grows", "b", "then", "finally"]);
    here.bench.seen.ran.lock().clear();
    let failed = here.batch(batch().jobs([say("a"), say("fails"), say("b")])).await.unwrap_err();
    assert_eq!(failed.to_string(), AS_IT_HAS_TO);
    assert_eq!(here.bench.ran(), ["a", "fails", "catch", "finally"], "the last member is cancelled");
    here.bench.seen.ran.lock().clear();
    here.batch(batch().jobs([say("fails"), say("b")]).allow_failures()).await.unwrap_err();
    assert_eq!(here.bench.ran(), ["fails", "b", "catch", "then", "finally"]);
    assert_eq!(here.heard(), ["test.say: as it has to"; 2]);
}

#[tokio::test]
async fn what_a_member_adds_is_a_member() {
    let here = Here::new();
    let batch = Batch::new("fleet").job(Careless).job(say("b")).then(say("then"));
    here.batch(batch.catch(say("catch")).finally(say("finally"))).await.unwrap();
    let careless = format!("careless: {AS_IT_HAS_TO}");
    assert_eq!(here.bench.ran(), ["fails", "catch", &careless, "finally"]);
}

#[tokio::test]
async fn chains_and_batches_are_made_of_each_other_here_too() {
    let here = Here::new();
    let inner = Batch::new("inner").job(say("b1")).job(say("b2")).then(say("inner done"));
    let chain = Chain::new().job(say("a")).batch(inner).job(say("c"));
    let outer = Batch::new("outer").chain(chain).batch(Batch::new("other").job(say("d"))).batch(Batch::new("empty"));
    here.batch(outer.then(say("outer done"))).await.unwrap();
    let ran = here.bench.ran();
    let place = |what: &str| ran.iter().position(|ran| ran == what).unwrap_or_else(|| panic!("{what}: {ran:?}"));
    assert!(place("a") < place("b1") && place("b1").max(place("b2")) < place("c"), "{ran:?}");
    assert_eq!((place("outer done"), ran.len()), (6, 7), "{ran:?}");
    // And what fails within fails what it is in.
    here.bench.seen.ran.lock().clear();
    let inner = Batch::new("inner").job(say("fails")).then(say("never"));
    let chain = Chain::new().job(say("a")).batch(inner).job(say("never"));
    let outer = Batch::new("outer").chain(chain).then(say("never")).catch(say("caught")).finally(say("finally"));
    assert_eq!(here.batch(outer).await.unwrap_err().to_string(), AS_IT_HAS_TO);
    assert_eq!(here.bench.ran(), ["a", "fails", "caught", "finally"]);
}

#[tokio::test]
async fn what_is_dispatched_in_a_transaction_runs_with_its_commit() {
    let here = Here::new();
    let db = empty::<SqliteConn>(&[]).await.unwrap();
    for commits in [false, true] {
        let (queue, seen) = (here.queue.clone(), Arc::clone(&here.bench.seen));
        let write = db.write(async move |_| {
            queue.dispatch(say("alone")).await.unwrap();
            queue.chain(Chain::new().job(say("first")).job(say("second"))).await.unwrap();
            assert_eq!(*seen.ran.lock(), [""; 0], "it is not committed");
            if commits { Ok(()) } else { Err(undone()) }
        });
        assert_eq!(here.app.run(write).await.is_ok(), commits);
        assert_eq!(here.bench.ran().len(), if commits { 3 } else { 0 });
    }
    assert_eq!(here.bench.ran(), ["alone", "first", "second"]);
}
