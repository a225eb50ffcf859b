//! What a worker says of itself.

use std::time::Duration;

use tokio::sync::oneshot;

use super::{
    compose::say,
    worker::{Bench, Count},
};

#[tokio::test(start_paused = true)]
async fn a_worker_says_what_it_did_of_each_kind_and_of_each_queue() {
    let bench = Bench::new();
    bench.queue.dispatch_many((0..3).map(|_| Count::of("works"))).await.unwrap();
    bench.queue.dispatch(Count::of("gives up")).await.unwrap();
    bench.queue.job(say("one")).on("count").dispatch().await.unwrap();
    bench.queue.dispatch(say("two")).await.unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let worker = paravel::spawn(bench.worker(&[]).run(async { drop(stopped.await) }));
    // It says so every three seconds.
    for _ in 0..50 {
        bench.stand.advance(Duration::from_millis(100)).await;
    }
    let (_, status) = bench.queue.workers().await.unwrap().remove(0);
    let done = |name: &str| status.kinds.get(name).or(status.by_queue.get(name)).map(|did| (did.done, did.failed));
    assert_eq!((done("test.count"), done("test.say")), (Some((3, 1)), Some((2, 0))));
    assert_eq!((done("count"), done("harbour"), done("default")), (Some((4, 1)), Some((1, 0)), None));
    assert!(status.by_queue["count"].begun == 5 && status.report.done == 5 && status.running == 0);
    drop(stop);
    worker.await.unwrap();
}
