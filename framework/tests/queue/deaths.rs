//! Jobs whose workers die.

use std::time::Duration;

use uuid::Uuid;

use super::{
    suite::{beat, claim},
    worker::{Bench, Count},
};

const LIVES: Duration = Duration::from_secs(12);

/// A worker takes all there is and dies.
async fn one_dies(bench: &Bench, with: usize) {
    let dead = Uuid::new_v4();
    beat(&bench.stand, dead, LIVES).await;
    assert_eq!(claim(&*bench.stand.driver, dead, &["count"], 99).await.len(), with);
    bury(bench, with).await;
}

/// Finds what a worker that is dead has left.
async fn bury(bench: &Bench, left: usize) {
    bench.stand.advance(LIVES + Duration::from_secs(1)).await;
    let tended = bench.stand.driver.tend(&["count".to_owned()]).await.unwrap();
    assert_eq!(tended.rescued, u64::try_from(left).unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_workers_die_is_put_aside_without_being_read() {
    let bench = Bench::new();
    bench.queue.dispatch(Count::of("kills")).await.unwrap();
    for _ in 0..3 {
        one_dies(&bench, 1).await;
    }
    assert_eq!(bench.work().await.failed, 1);
    assert!(bench.ran().is_empty());
    assert!(bench.queue.failed().await.unwrap()[0].error.contains("its worker died 3 times"));
}

#[tokio::test(start_paused = true)]
async fn a_third_death_is_nobody_elses_than_that_jobs_which_may_be_the_cause() {
    let bench = Bench::new();
    bench.queue.dispatch(Count::of("never ends")).await.unwrap();
    for ship in ["a", "b", "c"] {
        bench.queue.dispatch(Count::of(ship)).await.unwrap();
    }
    for _ in 0..2 {
        one_dies(&bench, 4).await;
    }
    // They are not known to have had a part in it, and come before and behind.
    bench.queue.dispatch_many(["d", "e"].map(Count::of)).await.unwrap();
    let third = paravel::spawn(bench.worker(&[]).run(std::future::pending()));
    let ran = |what: &str| bench.ran().iter().filter(|ran| *ran == what).count();
    while ran("never ends 1") == 0 {
        bench.stand.advance(Duration::from_millis(10)).await;
    }
    assert_eq!((ran("d 1"), ran("e 1")), (1, 1));
    // In whichever order they were found.
    let done = bench.ran().len() - 1;
    let depth = bench.queue.depth("count").await.unwrap();
    // Those that are to run alone themselves are left to others for a while.
    let others = depth.ready + depth.scheduled;
    assert_eq!((depth.running, others), (1, 5 - done as u64), "it has nothing else in its hands");
    third.abort();
    assert!(third.await.unwrap_err().is_cancelled());
    bury(&bench, 1).await;
    let report = bench.work().await;
    assert_eq!((report.failed, report.done, report.stale), (1, 5 - done as u64, 0));
    assert_eq!(["a 1", "b 1", "c 1"].map(ran), [1; 3]);
}
