//! How a worker tells of ends that the queue does not take.

use std::{sync::Arc, time::Duration};

use futures_util::future::{BoxFuture, FutureExt, ready};
use paravel::queue::{
    Batch, Beat, Driver, DriverError, Durability, Orders, Outcome, Push, Pushed, QueueAdmin, Settlement, Tended, Turn,
    Turned, WorkerReport,
};
use parking_lot::Mutex;
use tokio::{sync::oneshot, task::JoinHandle};

use super::{Stand, compose::say, forwards::forwards, worker::Bench};
#[cfg(feature = "sqlite")]
use {
    super::database::{database, number, run},
    paravel::{
        database::SqliteConn,
        queue::{DatabaseDriver, Queue, Settled},
        support::{SystemClock, WireFormat},
    },
    uuid::Uuid,
};

/// What a driver says to an end, where it does not take it.
type Says = fn(&Settlement) -> Option<DriverError>;

struct Refusing {
    inner: Arc<dyn Driver>,
    says: Mutex<Says>,
}

impl Driver for Refusing {
    forwards!(inner: push, beat, tend, wait, durability, admin);

    fn turn<'a>(&'a self, turn: Turn<'a>) -> BoxFuture<'a, Result<Turned, DriverError>> {
        let says = *self.says.lock();
        match turn.ends.iter().find_map(says) {
            Some(error) => ready(Err(error)).boxed(),
            None => self.inner.turn(turn),
        }
    }
}

fn refused() -> Option<DriverError> {
    Some(DriverError::Refused("it is too much".into()))
}

/// A bench whose driver says this to ends, until it is told otherwise.
fn bench(says: Says) -> (Bench, Arc<Refusing>) {
    let stand = Stand::memory();
    let driver = Arc::new(Refusing { inner: Arc::clone(&stand.driver), says: Mutex::new(says) });
    (Bench::on(Stand { driver: Arc::clone(&driver) as _, ..stand }), driver)
}

fn working(bench: &Bench) -> (oneshot::Sender<()>, JoinHandle<WorkerReport>) {
    let (stop, stopped) = oneshot::channel::<()>();
    let worker = bench.worker(&[]).run(async { drop(stopped.await) });
    (stop, paravel::spawn(worker))
}

#[tokio::test(start_paused = true)]
async fn an_end_that_is_refused_fails_its_job_and_for_its_batch_too() {
    let (bench, _) = bench(|end| if matches!(end.outcome, Outcome::Done { .. }) { refused() } else { None });
    let batch = Batch::new("voyage").jobs([say("one"), say("two")]).catch(say("fails too"));
    let id = bench.queue.batch(batch).await.unwrap();
    let report = bench.work().await;
    assert_eq!((report.done, report.failed), (0, 3));
    let status = bench.queue.find_batch(id).await.unwrap().unwrap();
    assert_eq!((status.pending, status.failed), (0, 2));
    assert_eq!(bench.ran(), ["one", "two", "fails too"]);
    let failed = bench.queue.failed().await.unwrap();
    let says = "the queue did not take how it ended: it is too much";
    assert_eq!(failed.iter().filter(|job| job.error == says).count(), 2, "{failed:?}");
    assert_eq!(bench.seen.failed.lock().iter().filter(|job| job.error == says).count(), 2, "whoever listens is told");
}

#[tokio::test(start_paused = true)]
async fn an_end_that_is_taken_in_no_form_holds_nothing_up_and_is_told_later() {
    let (bench, driver) = bench(|end| if end.queue == "count" { refused() } else { None });
    let id = bench.queue.job(say("one")).on("count").dispatch().await.unwrap().unwrap();
    let (stop, worker) = working(&bench);
    while bench.ran().is_empty() {
        bench.stand.advance(Duration::from_millis(100)).await;
    }
    bench.queue.dispatch_many((0..200).map(|_| say("another"))).await.unwrap();
    while bench.queue.depth("harbour").await.unwrap().total() > 0 {
        bench.stand.advance(Duration::from_millis(100)).await;
    }
    assert_eq!(bench.queue.depth("count").await.unwrap().running, 1, "nobody else has it");
    *driver.says.lock() = |_| None;
    while bench.queue.depth("count").await.unwrap().total() > 0 {
        bench.stand.advance(Duration::from_millis(100)).await;
    }
    drop(stop);
    let report = worker.await.unwrap();
    assert_eq!((report.done, report.failed, report.released), (201, 0, 0), "{id} is done, as it was");
    assert_eq!(bench.ran().iter().filter(|what| *what == "one").count(), 1);
    assert!(bench.queue.failed().await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_end_that_is_taken_in_no_form_until_the_worker_stops_goes_to_another() {
    let (bench, driver) = bench(|_| refused());
    bench.queue.dispatch(say("one")).await.unwrap();
    let (stop, worker) = working(&bench);
    while bench.ran().is_empty() {
        bench.stand.advance(Duration::from_millis(100)).await;
    }
    drop(stop);
    while !worker.is_finished() {
        bench.stand.advance(Duration::from_millis(100)).await;
    }
    *driver.says.lock() = |_| None;
    assert_eq!(bench.queue.depth("harbour").await.unwrap().ready, 1);
    assert_eq!((bench.work().await.done, bench.ran().len()), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_away_for_a_while_fails_nothing() {
    let (bench, driver) = bench(|_| Some(DriverError::Unavailable("it is away".into())));
    bench.queue.dispatch_many([say("one"), say("two")]).await.unwrap();
    let (stop, worker) = working(&bench);
    for _ in 0..50 {
        bench.stand.advance(Duration::from_millis(100)).await;
    }
    *driver.says.lock() = |_| None;
    while bench.queue.depth("harbour").await.unwrap().total() > 0 {
        bench.stand.advance(Duration::from_millis(100)).await;
    }
    drop(stop);
    let report = worker.await.unwrap();
    assert_eq!((report.done, report.failed, bench.ran().len()), (2, 0, 2));
}

#[cfg(feature = "sqlite")]
#[tokio::test]
async fn ends_for_which_there_is_no_room_are_told_when_there_is() {
    let (db, _kept) = database::<SqliteConn>().await.unwrap();
    let driver = DatabaseDriver::new(Arc::clone(&db), Arc::new(SystemClock));
    let queue = Queue::new(Arc::new(driver), WireFormat::MessagePack, Arc::new(SystemClock));
    queue.dispatch(say("one")).await.unwrap();
    let (worker, queues) = (Uuid::new_v4(), ["harbour".to_owned()]);
    let turn = |ends, most| Turn { worker, ends, queues: &queues, most };
    let claimed = queue.driver().turn(turn(&[], 1)).await.unwrap().claimed.remove(0);
    let pages = number(&db, "select page_count as n from pragma_page_count").await;
    run(&db, &format!("pragma max_page_count = {pages}")).await;
    let end = [claimed.end(Outcome::Release { due: None, payload: Some(vec![7; 1 << 20].into()) })];
    let error = queue.driver().turn(turn(&end, 0)).await.unwrap_err();
    assert!(matches!(error, DriverError::Unavailable(_)), "{error:?}");
    run(&db, "pragma max_page_count = 100000").await;
    assert_eq!(queue.driver().turn(turn(&end, 0)).await.unwrap().settled, [Settled::Done]);
}
