//! When a worker ends by itself, and what it does with what has taken others with it.

use std::{sync::Arc, time::Duration};

use paravel::{
    job,
    queue::{Chain, WhyEnded, WorkerLimits},
    support::BoxError,
};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    compose::say,
    suite::{beat, claim},
    worker::{Bench, Seen},
};

const LIVES: Duration = Duration::from_secs(12);

#[derive(Serialize, Deserialize)]
struct Crowd;

#[job]
impl Crowd {
    async fn handle(self, seen: Option<Arc<Seen>>) -> Result<(), BoxError> {
        let seen = seen.ok_or("nothing is seen here")?;
        seen.enter();
        tokio::time::sleep(Duration::from_secs(1)).await;
        seen.leave();
        Ok(())
    }
}

async fn ends(bench: &Bench, limits: WorkerLimits) -> (u64, Option<WhyEnded>) {
    let worker = paravel::spawn(bench.worker(&[]).limits(limits).run(std::future::pending()));
    while !worker.is_finished() {
        bench.stand.advance(Duration::from_millis(100)).await;
    }
    let report = worker.await.unwrap();
    (report.done, report.ended)
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_ends_when_nothing_is_left_has_done_what_follows() {
    let bench = Bench::new();
    bench.queue.chain(Chain::new().job(say("one")).job(say("two")).job(say("three"))).await.unwrap();
    let until_empty = WorkerLimits { when_empty: true, ..WorkerLimits::default() };
    assert_eq!(ends(&bench, until_empty).await, (3, Some(WhyEnded::Empty)));
}

#[tokio::test(start_paused = true)]
async fn a_worker_ends_by_itself_when_it_is_to() {
    let none = WorkerLimits::default();
    let bench = Bench::new();
    bench.queue.dispatch_many((0..10).map(|_| say("x"))).await.unwrap();
    assert_eq!(ends(&bench, WorkerLimits { jobs: Some(4), ..none }).await, (4, Some(WhyEnded::Jobs)));
    assert_eq!(bench.queue.depth("harbour").await.unwrap().ready, 6, "it has claimed no more");
    assert_eq!(ends(&bench, WorkerLimits { when_empty: true, ..none }).await, (6, Some(WhyEnded::Empty)));
    let minute = Some(Duration::from_secs(60));
    assert_eq!(ends(&bench, WorkerLimits { time: minute, ..none }).await, (0, Some(WhyEnded::Time)));
    // Any process has more than a byte.
    assert_eq!(ends(&bench, WorkerLimits { memory: Some(1), ..none }).await, (0, Some(WhyEnded::Memory)));
}

#[tokio::test(start_paused = true)]
async fn what_was_claimed_and_went_back_does_not_count_as_run() {
    let bench = Bench::new();
    // It has claimed ahead when they become slow, and gives back what it will not come to.
    bench.queue.dispatch_many((0..300).map(|_| say("x"))).await.unwrap();
    bench.queue.dispatch_many((0..100).map(|_| Crowd)).await.unwrap();
    bench.queue.dispatch_many((0..300).map(|_| say("x"))).await.unwrap();
    let limits = WorkerLimits { jobs: Some(450), ..WorkerLimits::default() };
    assert_eq!(ends(&bench, limits).await, (450, Some(WhyEnded::Jobs)));
}

#[tokio::test(start_paused = true)]
async fn workers_that_are_told_to_restart_end_and_later_ones_do_not() {
    let bench = Bench::new();
    let worker = paravel::spawn(bench.worker(&[]).run(std::future::pending()));
    // It begins, and later is told.
    bench.stand.advance(Duration::from_secs(1)).await;
    bench.stand.advance(Duration::from_secs(1)).await;
    let workers = bench.queue.workers().await.unwrap();
    assert_eq!((workers.len(), workers[0].1.running, workers[0].1.queues.len()), (1, 0, 3));
    bench.queue.restart().await.unwrap();
    while !worker.is_finished() {
        bench.stand.advance(Duration::from_millis(100)).await;
    }
    assert_eq!(worker.await.unwrap().ended, Some(WhyEnded::Restart));
    assert!(bench.queue.workers().await.unwrap().is_empty());
    bench.stand.advance(Duration::from_secs(1)).await;
    let until_empty = WorkerLimits { when_empty: true, ..WorkerLimits::default() };
    assert_eq!(ends(&bench, until_empty).await, (0, Some(WhyEnded::Empty)));
}

#[tokio::test(start_paused = true)]
async fn a_worker_says_what_it_did_of_each_kind() {
    let bench = Bench::new();
    bench.queue.dispatch_many([say("a"), say("fails")]).await.unwrap();
    let worker = paravel::spawn(bench.worker(&[]).run(std::future::pending()));
    let said = loop {
        bench.stand.advance(Duration::from_secs(1)).await;
        let workers = bench.queue.workers().await.unwrap();
        if let Some(said) = workers[0].1.kinds.get("test.say") {
            break *said;
        }
    };
    assert_eq!((said.done, said.errors, said.failed), (1, 1, 1));
    worker.abort();
}

#[tokio::test(start_paused = true)]
async fn what_has_taken_workers_with_it_runs_alone() {
    for (deaths, most) in [(1, 5), (2, 2)] {
        let bench = Bench::new();
        bench.queue.dispatch_many((0..3).map(|_| Crowd)).await.unwrap();
        for _ in 0..deaths {
            let dead = Uuid::new_v4();
            beat(&bench.stand, dead, LIVES).await;
            assert_eq!(claim(&*bench.stand.driver, dead, &["default"], 3).await.len(), 3);
            bench.stand.advance(LIVES + Duration::from_secs(1)).await;
            bench.stand.driver.tend(&["default".to_owned()]).await.unwrap();
        }
        bench.queue.dispatch_many((0..2).map(|_| Crowd)).await.unwrap();
        assert_eq!(bench.work().await.done, 5);
        assert_eq!(bench.seen.most_at_once(), most, "one death may be anything's; after two the three run alone");
    }
}
