use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use paravel::{
    console::Stops,
    schedule::{Claim, Fence, Missed, Outcome, Schedule, Skip},
    support::{FakeClock, Timestamp},
};
use tokio::sync::oneshot;

use super::{
    super::{Seen, at},
    Stand,
};

const NOON: &str = "2026-01-01T12:00:00Z";

async fn claim(fence: &dyn Fence, task: &str, due: Timestamp, by: &str) -> bool {
    fence.claim(Claim { task, due, by }).await.unwrap()
}

pub async fn one_of_many_takes_a_run(stand: Stand) {
    let due = at(NOON);
    let claims = (0..12).map(|number| {
        let fence = Arc::clone(&stand.fence);
        paravel::spawn(async move { claim(&*fence, "report", due, &format!("server {number}")).await })
    });
    let taken: Vec<_> = join_all(claims).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(taken.iter().filter(|taken| **taken).count(), 1, "{taken:?}");
    let winner = taken.iter().position(|taken| *taken).unwrap();
    // Whoever did not hear the answer may ask again.
    for number in 0..12 {
        assert_eq!(claim(&*stand.fence, "report", due, &format!("server {number}")).await, number == winner);
    }
    assert!(claim(&*stand.fence, "report", due.plus(Duration::from_secs(1)), "another").await);
    assert!(claim(&*stand.fence, "another", due, "another").await);
}

pub async fn what_is_known_of_a_task_is_its_latest_time(stand: Stand) {
    let known = async |now: &str| stand.fence.known_until("report", at(now)).await.unwrap().utc().timestamp();
    let second = |text: &str| at(text).utc().timestamp();
    assert_eq!(known(NOON).await, second(NOON));
    assert_eq!(known("2026-01-02T12:00:00Z").await, second(NOON));
    // Known, but nobody's.
    assert!(claim(&*stand.fence, "report", at(NOON), "one").await);
    assert!(claim(&*stand.fence, "report", at("2026-01-01T15:00:00Z"), "one").await);
    assert!(claim(&*stand.fence, "report", at("2026-01-01T13:00:00Z"), "one").await);
    assert_eq!(known(NOON).await, second("2026-01-01T15:00:00Z"));
    stand.fence.note("report", at("2026-01-01T14:00:00Z")).await.unwrap();
    assert_eq!(known(NOON).await, second("2026-01-01T15:00:00Z"));
    for _ in 0..2 {
        stand.fence.note("report", at("2026-01-01T16:00:00Z")).await.unwrap();
    }
    assert_eq!(known(NOON).await, second("2026-01-01T16:00:00Z"));
    assert!(claim(&*stand.fence, "report", at("2026-01-01T16:00:00Z"), "one").await);
    let other = stand.fence.known_until("another", at("2026-01-05T00:00:00Z")).await.unwrap();
    assert_eq!(other.utc().timestamp(), second("2026-01-05T00:00:00Z"));
}

pub async fn names_are_told_apart_whatever_they_are(stand: Stand) {
    let long = "ä".repeat(255);
    let longer = format!("{}b", "ä".repeat(254));
    for name in ["a", "A", "ä", "a b", "a:1", "tokens:prune --days '3'", "a%", "a_", "漢字 🐌", &long, &longer] {
        assert!(claim(&*stand.fence, name, at(NOON), "one").await, "{name}");
        assert!(!claim(&*stand.fence, name, at(NOON), "two").await, "{name}");
        assert_eq!(stand.fence.known_until(name, at("2026-02-01T00:00:00Z")).await.unwrap(), at(NOON));
    }
}

pub async fn a_run_is_known_for_a_day_and_the_last_one_for_longer(stand: Stand) {
    for day in [1, 2, 3, 4] {
        let due = at(&format!("2026-01-0{day}T12:00:00Z"));
        assert!(claim(&*stand.fence, "report", due, "one").await);
        let yesterday = due.utc() - chrono::TimeDelta::hours(24);
        assert!(day == 1 || !claim(&*stand.fence, "report", yesterday.into(), "two").await);
    }
    let known = stand.fence.known_until("report", at("2027-01-01T00:00:00Z")).await.unwrap();
    assert_eq!(known, at("2026-01-04T12:00:00Z"));
    if let Some(rows) = &stand.rows {
        assert_eq!(rows().await, 2, "older ones are taken out");
    }
}

pub async fn of_several_schedulers_one_runs_what_is_due(stand: Stand) {
    let seen = Seen::default();
    let clock = Arc::new(FakeClock::at(at("2026-01-01T11:58:00Z")));
    let fill = |schedule: &mut Schedule| {
        schedule.call("one", seen.says("one")).every_minute().on_one_server();
        schedule.call("two", seen.says("two")).every_minute().missed(Missed::Each { at_most: 10 });
        schedule.call("all", seen.says("all")).every_minute();
    };
    let servers: Vec<_> =
        (0..3).map(|_| super::super::Stand::new(Arc::clone(&clock) as _, &stand.store(), fill)).collect();
    // Three minutes, and four more after two that nobody ran.
    for minute in ["11:58", "11:59", "12:00", "12:03", "12:04", "12:05", "12:06"] {
        clock.set(at(&format!("2026-01-01T{minute}:07Z")));
        let runs = servers.iter().map(async |server| server.scheduler.run(&server.app, Stops::never()).await);
        let all: Vec<_> = join_all(runs).await.into_iter().flatten().collect();
        let failed: Vec<_> = all.iter().filter(|ran| matches!(ran.outcome, Outcome::Failed { .. })).collect();
        assert!(failed.is_empty(), "{failed:?}");
    }
    assert_eq!(["one", "two", "all"].map(|name| seen.count(name)), [7, 9, 21]);
}

pub async fn a_task_that_runs_elsewhere_is_not_begun(stand: Stand) {
    let clock = Arc::new(FakeClock::at(at(NOON)));
    let begun = Seen::default();
    let (end, ended) = oneshot::channel::<()>();
    let ended = Arc::new(tokio::sync::Mutex::new(Some(ended)));
    let fill = |schedule: &mut Schedule| {
        let (begun, ended) = (begun.clone(), Arc::clone(&ended));
        let slow = async move || {
            begun.add("begun");
            let ended = ended.lock().await.take();
            if let Some(ended) = ended {
                ended.await.unwrap();
            }
        };
        schedule.call("slow", slow).every_minute().without_overlapping();
    };
    let (one, two) = (
        super::super::Stand::new(Arc::clone(&clock) as _, &stand.store(), fill),
        super::super::Stand::new(Arc::clone(&clock) as _, &stand.store(), fill),
    );
    let (app, scheduler) = (one.app.clone(), Arc::clone(&one.scheduler));
    let first = paravel::spawn(async move { scheduler.run(&app, Stops::never()).await });
    crate::cache::stores::stand::until(async || begun.count("begun") == 1).await;
    let run = async || two.scheduler.run(&two.app, Stops::never()).await.remove(0).outcome;
    assert_eq!(run().await, Outcome::Skipped { reason: Skip::Overlapping });
    end.send(()).unwrap();
    assert_eq!(first.await.unwrap().remove(0).outcome, Outcome::Done);
    assert_eq!(run().await, Outcome::Done);
    assert_eq!(begun.count("begun"), 2);
}
