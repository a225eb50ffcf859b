//! What becomes of times that passed while nobody looked.

use std::sync::Arc;

use paravel::{
    console::Stops,
    schedule::{Missed, Outcome, ScheduleStore, Task},
    support::Clock,
};
use tokio::time::sleep;

use super::{HOUR, MINUTE, Moving, Seen, Stand, store};

type Say = fn(&mut Task) -> &mut Task;

fn stand(clock: &Arc<Moving>, store: &Arc<ScheduleStore>, seen: &Seen, say: Say) -> Stand {
    Stand::new(Arc::clone(clock) as _, store, |schedule| {
        let (seen, clock) = (seen.clone(), Arc::clone(clock));
        let tells = async move || {
            seen.add(clock.now().to_string()[11..16].to_owned());
        };
        say(schedule.call("it", tells));
    })
}

/// How often it runs in ten minutes after it was away from 12:05 to 16:05.
async fn after_four_hours(say: Say) -> usize {
    let (store, seen) = (store(), Seen::default());
    let clock = Moving::at("2026-01-01T12:00:00Z");
    stand(&clock, &store, &seen, say).work_for(5 * MINUTE).await;
    assert_eq!(seen.all().len(), 0);
    clock.set("2026-01-01T16:05:00Z");
    stand(&clock, &store, &seen, say).work_for(10 * MINUTE).await;
    seen.all().len()
}

#[tokio::test(start_paused = true)]
async fn a_task_says_what_becomes_of_what_it_missed() {
    assert_eq!(after_four_hours(|task| task.hourly_at(30)).await, 0);
    assert_eq!(after_four_hours(|task| task.hourly_at(30).missed(Missed::Skip).on_one_server()).await, 0);
    assert_eq!(after_four_hours(|task| task.hourly_at(30).missed(Missed::Once)).await, 1);
    assert_eq!(after_four_hours(|task| task.hourly_at(30).missed(Missed::Each { at_most: 3 })).await, 3);
    assert_eq!(after_four_hours(|task| task.hourly_at(30).missed(Missed::Each { at_most: 100 })).await, 4);
    assert_eq!(after_four_hours(|task| task.hourly_at(30).missed(Missed::Each { at_most: usize::MAX })).await, 4);
    // There was nothing to miss.
    assert_eq!(after_four_hours(|task| task.hourly().missed(Missed::Once).between("20:00", "21:00")).await, 0);
}

#[tokio::test(start_paused = true)]
async fn what_ran_or_was_not_to_run_is_not_missed() {
    let (store, seen) = (store(), Seen::default());
    let clock = Moving::at("2026-01-01T11:59:30Z");
    let say: Say = |task| task.hourly().missed(Missed::Each { at_most: 9 });
    stand(&clock, &store, &seen, say).work_for(MINUTE).await;
    assert_eq!(seen.all(), ["12:00"]);
    // Begun anew, an hour later: 13:00 alone was missed.
    clock.set("2026-01-01T13:20:00Z");
    stand(&clock, &store, &seen, say).work_for(MINUTE).await;
    assert_eq!(seen.all(), ["12:00", "13:20"]);
    // A condition that does not hold is no reason to make up for it.
    let never: Say = |task| task.hourly().missed(Missed::Each { at_most: 9 }).when(async || false);
    stand(&clock, &store, &seen, never).work_for(2 * HOUR).await;
    stand(&clock, &store, &seen, say).work_for(MINUTE).await;
    assert_eq!(seen.all().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_missed_is_made_up_for_once_by_all_servers() {
    let (store, seen) = (store(), Seen::default());
    let clock = Moving::at("2026-01-01T12:00:00Z");
    let say: Say = |task| task.hourly_at(30).missed(Missed::Once);
    stand(&clock, &store, &seen, say).work_for(MINUTE).await;
    clock.set("2026-01-01T18:00:00Z");
    let (one, two) = (stand(&clock, &store, &seen, say), stand(&clock, &store, &seen, say));
    let (one, two) = (one.work(), two.work());
    sleep(MINUTE).await;
    assert_eq!(seen.all(), ["18:00"]);
    assert_eq!((one.stop().await.done + two.stop().await.done), 1);
}

#[tokio::test(start_paused = true)]
async fn a_run_for_a_systems_cron_makes_up_for_what_it_missed_as_well() {
    let (store, seen) = (store(), Seen::default());
    let clock = Moving::at("2026-01-01T12:00:00Z");
    let says: [(Say, usize, usize); 4] = [
        // What has no fence runs as often as it is asked to.
        (|task| task.name("skip").hourly(), 1, 1),
        (|task| task.name("once").hourly().missed(Missed::Once), 1, 0),
        (|task| task.name("each").hourly().missed(Missed::Each { at_most: 2 }), 3, 0),
        (|task| task.name("half").hourly_at(30).missed(Missed::Once), 1, 0),
    ];
    for (say, runs, more) in says {
        clock.set("2026-01-01T11:59:00Z");
        let stand = stand(&clock, &store, &seen, say);
        assert_eq!(stand.scheduler.run(&stand.app, Stops::never()).await, []);
        clock.set("2026-01-01T16:00:20Z");
        assert_eq!(stand.scheduler.run(&stand.app, Stops::never()).await.len(), runs);
        // Once more in the same minute.
        let again = stand.scheduler.run(&stand.app, Stops::never()).await;
        let done = again.iter().filter(|ran| ran.outcome == Outcome::Done);
        assert_eq!(done.count(), more);
    }
}

#[tokio::test(start_paused = true)]
async fn a_machine_that_slept_is_one_that_missed() {
    for (missed, runs) in [(Missed::Skip, 0), (Missed::Once, 1), (Missed::Each { at_most: 9 }, 3)] {
        let (store, seen) = (store(), Seen::default());
        let clock = Moving::at("2026-01-01T12:00:00Z");
        let told = seen.clone();
        let stand = Stand::new(Arc::clone(&clock) as _, &store, |schedule| {
            schedule.call("it", told.says("it")).hourly_at(30).missed(missed);
        });
        let working = stand.work();
        sleep(MINUTE).await;
        clock.set("2026-01-01T15:01:00Z");
        sleep(MINUTE).await;
        working.stop().await;
        assert_eq!(seen.count("it"), runs, "{missed:?}");
    }
}
