//! A scheduler that stays: what runs beside what, and how it stops.

use std::time::Duration;

use paravel::console::Stops;
use paravel::schedule::{Outcome, TaskFailed, WorkReport};
use tokio::{sync::watch, time::sleep};

use super::{HOUR, MINUTE, Moving, SECOND, Seen, Stand, Working, at, store};

#[tokio::test(start_paused = true)]
async fn each_task_runs_whenever_it_is_due() {
    let seen = Seen::default();
    let clock = Moving::at("2026-01-01T11:59:30Z");
    let stand = Stand::new(clock, &store(), |schedule| {
        schedule.call("second", seen.says("second")).every_second();
        schedule.call("minute", seen.says("minute")).every_minute();
        schedule.call("hour", seen.says("hour")).hourly();
        schedule.call("day", seen.says("day")).daily_at("12:30");
    });
    let report = stand.work_for(HOUR + SECOND / 2).await;
    let counts = ["second", "minute", "hour", "day"].map(|name| seen.count(name));
    assert_eq!(counts, [3600, 60, 1, 1]);
    assert_eq!((report.done, report.failed, report.skipped), (3662, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_day_with_a_change_of_clocks_has_each_time_of_day_once() {
    // From half past ten in the evening before until half past ten in the evening of the day.
    for (begin, hours, intervals) in [("2026-03-28T21:31:00Z", 23, 276), ("2026-10-24T20:31:00Z", 25, 300)] {
        let seen = Seen::default();
        let stand = Stand::new(Moving::at(begin), &store(), |schedule| {
            schedule.call("daily", seen.says("daily")).daily_at("2:30").timezone("Europe/Vienna");
            schedule.call("interval", seen.says("interval")).every_five_minutes().timezone("Europe/Vienna");
        });
        stand.work_for(hours * HOUR).await;
        assert_eq!((seen.count("daily"), seen.count("interval")), (1, intervals), "{begin}");
    }
}

#[tokio::test(start_paused = true)]
async fn tasks_due_at_the_same_moment_run_beside_each_other_and_a_long_one_holds_up_none() {
    let seen = Seen::default();
    let stand = Stand::new(Moving::at("2026-01-01T11:59:58Z"), &store(), |schedule| {
        for name in ["one", "two"] {
            let seen = seen.clone();
            let slow = async move || {
                seen.add(format!("{name} begins"));
                sleep(10 * MINUTE).await;
                seen.add(format!("{name} ends"));
            };
            schedule.call(name, slow).daily_at("12:00");
        }
        schedule.call("minute", seen.says("minute")).every_minute();
    });
    stand.work_for(11 * MINUTE).await;
    let all = seen.all();
    let mut first = all[..3].to_vec();
    first.sort();
    assert_eq!(first, ["minute", "one begins", "two begins"]);
    assert_eq!(all[3..12], vec!["minute"; 9]);
    assert_eq!((seen.count("one ends"), seen.count("two ends")), (1, 1));
}

/// A scheduler with a task that takes so long, in the middle of it.
async fn in_the_middle(seen: &Seen, long: Duration) -> Working {
    let told = seen.clone();
    let stand = Stand::new(Moving::at("2026-01-01T11:59:58.5Z"), &store(), |schedule| {
        let slow = async move || {
            told.add("begins");
            sleep(long).await;
            told.add("ends");
        };
        let failed = seen.clone();
        schedule
            .call("slow", slow)
            .daily_at("12:00")
            .without_overlapping()
            .on_failure(async move |why: &TaskFailed| failed.add(&why.error));
        schedule.call("second", seen.says("second")).every_second();
    });
    let working = stand.work();
    sleep(2 * SECOND).await;
    assert_eq!(seen.count("begins"), 1);
    working
}

#[tokio::test(start_paused = true)]
async fn one_that_is_to_stop_begins_nothing_and_lets_go_on_what_runs() {
    let seen = Seen::default();
    let working = in_the_middle(&seen, 20 * SECOND).await;
    let report = working.stop().await;
    assert_eq!((seen.count("ends"), seen.count("second")), (1, 2));
    assert_eq!((report.done, report.failed), (3, 0));
}

const CUT_OFF: &str = "it was cut off: it went on for longer than SCHEDULE_GRACE when it was to stop";

#[tokio::test(start_paused = true)]
async fn what_runs_for_longer_than_its_grace_is_cut_off_and_fails() {
    let seen = Seen::default();
    let report = in_the_middle(&seen, HOUR).await.stop().await;
    assert_eq!((seen.count("ends"), seen.count(CUT_OFF)), (0, 1));
    assert_eq!((report.done, report.failed), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_asked_twice_stops_at_once() {
    let seen = Seen::default();
    let working = in_the_middle(&seen, 10 * SECOND).await;
    working.ask();
    let report = working.stop().await;
    assert_eq!((seen.count("ends"), report.failed), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_run_for_a_systems_cron_stops_in_the_same_way() {
    let stand = Stand::new(Moving::at("2026-01-01T12:00:00Z"), &store(), |schedule| {
        schedule.call("slow", async || sleep(20 * SECOND).await).every_minute();
        schedule.call("slower", async || sleep(HOUR).await).every_minute();
    });
    let (ask, asked) = watch::channel(0);
    let stopped = async {
        sleep(SECOND).await;
        ask.send_replace(1);
    };
    let (all, ()) = tokio::join!(stand.scheduler.run(&stand.app, Stops::when(asked)), stopped);
    let outcomes: Vec<_> = all.into_iter().map(|ran| ran.outcome).collect();
    assert_eq!(outcomes, [Outcome::Done, Outcome::Failed { error: CUT_OFF.to_owned() }]);
}

#[tokio::test(start_paused = true)]
async fn without_tasks_it_waits_to_be_stopped() {
    let stand = Stand::new(Moving::at("2026-01-01T12:00:00Z"), &store(), |_| ());
    assert_eq!(stand.work_for(HOUR).await, WorkReport::default());
    assert!(stand.scheduler.tasks().list(at("2026-01-01T12:00:00Z")).is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_is_due_while_it_begins_is_not_run_twice() {
    let seen = Seen::default();
    let clock = Moving::at("2026-01-01T12:00:00Z");
    let stand = Stand::new(clock, &store(), |schedule| {
        schedule.call("minute", seen.says("minute")).every_minute();
    });
    // Begun anew within the second in which it was due.
    for _ in 0..3 {
        stand.work_for(Duration::from_millis(100)).await;
    }
    assert_eq!(seen.count("minute"), 0);
    stand.work_for(MINUTE).await;
    assert_eq!(seen.count("minute"), 1);
}
