//! A clock that is put forward or back.

use std::sync::Arc;

use tokio::time::sleep;

use super::{HOUR, MINUTE, Moving, SECOND, Seen, Stand, store};

/// Tasks of both kinds, with a fence and without one.
fn stand(clock: &Arc<Moving>, seen: &Seen) -> Stand {
    Stand::new(Arc::clone(clock) as _, &store(), |schedule| {
        schedule.call("daily", seen.says("daily")).daily_at("12:30");
        schedule.call("interval", seen.says("interval")).every_ten_minutes();
        schedule.call("fenced daily", seen.says("fenced daily")).daily_at("12:30").on_one_server();
        schedule.call("fenced interval", seen.says("fenced interval")).every_ten_minutes().on_one_server();
    })
}

fn counts(seen: &Seen) -> [usize; 4] {
    ["daily", "interval", "fenced daily", "fenced interval"].map(|name| seen.count(name))
}

#[tokio::test(start_paused = true)]
async fn an_hour_that_is_shown_again_brings_no_fenced_run_and_no_time_of_day_again() {
    let (clock, seen) = (Moving::at("2026-01-01T12:05:00Z"), Seen::default());
    let working = stand(&clock, &seen).work();
    sleep(30 * MINUTE).await;
    // 12:10, 12:20 and 12:30.
    assert_eq!(counts(&seen), [1, 3, 1, 3]);
    clock.set("2026-01-01T11:35:00Z");
    sleep(HOUR).await;
    // From 11:40 to 12:30: of those, the fence knows the last three.
    assert_eq!(counts(&seen), [1, 9, 1, 6]);
    sleep(24 * HOUR).await;
    assert_eq!(counts(&seen), [2, 9 + 144, 2, 6 + 144]);
    assert_eq!(working.stop().await.failed, 0);
}

#[tokio::test(start_paused = true)]
async fn an_hour_that_is_left_out_is_missed_and_comes_no_more() {
    let (clock, seen) = (Moving::at("2026-01-01T12:05:00Z"), Seen::default());
    let working = stand(&clock, &seen).work();
    sleep(10 * MINUTE).await;
    assert_eq!(counts(&seen), [0, 1, 0, 1]);
    clock.set("2026-01-01T13:15:00Z");
    sleep(HOUR).await;
    assert_eq!(counts(&seen), [0, 7, 0, 7]);
    sleep(24 * HOUR).await;
    assert_eq!(counts(&seen), [1, 7 + 144, 1, 7 + 144]);
    working.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_wrong_for_a_while_costs_no_time_of_day() {
    let (clock, seen) = (Moving::at("2026-01-01T12:05:00Z"), Seen::default());
    let working = stand(&clock, &seen).work();
    sleep(10 * MINUTE).await;
    clock.set("2026-01-01T13:15:00Z");
    sleep(MINUTE).await;
    clock.set("2026-01-01T12:16:00Z");
    sleep(HOUR).await;
    // What was not run while the clock was wrong is run when it is due.
    assert_eq!(counts(&seen), [1, 7, 1, 7]);
    working.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_put_back_by_a_little_runs_nothing_twice() {
    let (clock, seen) = (Moving::at("2026-01-01T12:29:59Z"), Seen::default());
    let working = stand(&clock, &seen).work();
    sleep(2 * SECOND).await;
    clock.set("2026-01-01T12:29:58.5Z");
    sleep(10 * SECOND).await;
    assert_eq!(counts(&seen), [1, 1, 1, 1]);
    working.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_a_year_ahead_does_not_silence_a_task_for_a_year() {
    let (clock, seen) = (Moving::at("2027-01-01T12:29:00Z"), Seen::default());
    let working = stand(&clock, &seen).work();
    sleep(2 * MINUTE).await;
    assert_eq!(counts(&seen), [1, 1, 1, 1]);
    clock.set("2026-01-01T12:29:00Z");
    sleep(2 * MINUTE).await;
    assert_eq!(counts(&seen), [2, 2, 2, 2]);
    working.stop().await;
}
