//! Tasks that do not overlap themselves.

use std::{sync::Arc, time::Duration};

use paravel::{
    console::{Console, Stops},
    schedule::{Outcome, ScheduleStore, Skip},
};
use tokio::time::sleep;

use super::{HOUR, MINUTE, Moving, SECOND, Seen, Stand, store};

/// Each minute something that takes so long.
fn stand(store: &Arc<ScheduleStore>, seen: &Seen, long: Duration) -> Stand {
    let seen = seen.clone();
    Stand::new(Moving::at("2026-01-01T11:59:30Z"), store, |schedule| {
        let slow = async move || {
            seen.add("begins");
            sleep(long).await;
            seen.add("ends");
        };
        schedule.call("slow", slow).every_minute().without_overlapping();
    })
}

#[tokio::test(start_paused = true)]
async fn a_task_is_not_begun_while_it_runs_however_long_that_is() {
    let seen = Seen::default();
    let report = stand(&store(), &seen, HOUR + MINUTE / 2).work_for(2 * HOUR).await;
    // At 12:00 and at 13:01.
    assert_eq!(seen.all()[..3], ["begins", "ends", "begins"]);
    assert_eq!(seen.count("begins"), 2);
    assert_eq!(report.skipped, 60 + 58);
}

#[tokio::test(start_paused = true)]
async fn nor_where_another_scheduler_runs_it() {
    let (store, seen) = (store(), Seen::default());
    let (one, two) = (stand(&store, &seen, 10 * MINUTE - SECOND), stand(&store, &seen, 10 * MINUTE - SECOND));
    let (one, two) = (one.work(), two.work());
    sleep(HOUR).await;
    assert_eq!(seen.count("begins"), 6);
    one.work.abort();
    two.work.abort();
}

#[tokio::test(start_paused = true)]
async fn one_whose_scheduler_died_is_free_again_soon() {
    let (store, seen) = (store(), Seen::default());
    let died = stand(&store, &seen, HOUR).work();
    sleep(40 * SECOND).await;
    assert_eq!(seen.all(), ["begins"]);
    died.work.abort();
    assert!(died.work.await.unwrap_err().is_cancelled());
    let after = stand(&store, &seen, SECOND);
    let run = async || after.scheduler.run(&after.app, Stops::never()).await.remove(0).outcome;
    assert_eq!(run().await, Outcome::Skipped { reason: Skip::Overlapping });
    sleep(20 * SECOND).await;
    assert_eq!(run().await, Outcome::Done);
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_panics_or_is_cut_off_is_free_again_at_once() {
    let (store, seen) = (store(), Seen::default());
    let stand = Stand::new(Moving::at("2026-01-01T12:00:00Z"), &store, |schedule| {
        let told = seen.clone();
        let breaks = async move || {
            told.add("ran");
            assert_ne!(told.count("ran"), 1, "on purpose");
            if told.count("ran") == 2 { Err("as it has to") } else { Ok(()) }
        };
        schedule.call("breaks", breaks).every_second().without_overlapping();
    });
    let report = stand.work_for(Duration::from_millis(4500)).await;
    assert_eq!((report.failed, report.done, report.skipped), (2, 2, 0));
    let (store, seen) = (super::store(), Seen::default());
    let cut_off = self::stand(&store, &seen, HOUR);
    assert_eq!(cut_off.work_for(MINUTE).await.failed, 1);
    let after = self::stand(&store, &seen, SECOND);
    let (mut console, _) = Console::memory(false);
    assert_eq!(after.scheduler.run_now("slow", &after.app, &mut console).await.unwrap().outcome, Outcome::Done);
}

#[tokio::test(start_paused = true)]
async fn one_that_is_run_by_hand_does_not_overlap_either() {
    let (store, seen) = (store(), Seen::default());
    let stand = stand(&store, &seen, HOUR);
    let working = stand.work();
    sleep(MINUTE).await;
    let (mut console, _) = Console::memory(false);
    let ran = stand.scheduler.run_now("slow", &stand.app, &mut console).await.unwrap();
    assert_eq!(ran.outcome, Outcome::Skipped { reason: Skip::Overlapping });
    working.work.abort();
}
