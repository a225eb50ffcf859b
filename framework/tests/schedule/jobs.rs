//! Jobs that the schedule dispatches.

use std::{sync::Arc, time::Duration};

use paravel::{
    console::Stops,
    queue::{Job, JobRun, Priority, UniqueKey, UniqueUntil},
    schedule::{Outcome, Schedule, Scheduler, TaskKind},
    support::{BoxError, Env, Zone},
};
use serde::{Deserialize, Serialize};

use super::{Moving, store, tasks};
use crate::queue::Stand;

const NOON: &str = "2026-01-01T12:00:00Z";

#[derive(Serialize, Deserialize)]
struct Sweep {
    deck: String,
}

impl Job for Sweep {
    const NAME: &'static str = "ship.sweep";
    const QUEUE: &'static str = "low";
    type Dependencies = ();

    fn unique(&self) -> Option<UniqueKey> {
        Some(UniqueKey { key: self.deck.clone(), lasts: Duration::from_secs(3600), until: UniqueUntil::Done })
    }

    async fn handle(self, (): (), _: &JobRun) -> Result<(), BoxError> {
        Ok(())
    }
}

fn fill(schedule: &mut Schedule) {
    schedule.job(Sweep { deck: "upper".to_owned() }).every_minute();
    let options = |options: paravel::queue::JobOptions| options.on("night").priority(Priority::Low);
    schedule.job_with(Sweep { deck: "lower".to_owned() }, options).name("sweep below").daily_at("12:00");
}

#[tokio::test(start_paused = true)]
async fn a_job_is_dispatched_when_it_is_due_and_once_where_it_is_unique() {
    let queue = Stand::memory().queue();
    let mut app = paravel::container::ContainerBuilder::new();
    app.instance(Arc::new(queue.clone()));
    let app = app.freeze().unwrap();
    let env = Env::from_pairs([("APP_ENV", "testing")]);
    let (config, schedule) =
        (paravel::config::AppConfig::from_env(&env), paravel::config::ScheduleConfig::from_env(&env));
    let clock = Moving::at(NOON);
    let scheduler = Scheduler::new(Arc::new(tasks(fill)), store(), Arc::clone(&clock) as _, &config, &schedule);
    let scheduler = Arc::new(scheduler);
    let told = scheduler.run(&app, Stops::never()).await;
    let told: Vec<_> = told.iter().map(|ran| (ran.task.as_str(), &ran.outcome)).collect();
    assert_eq!(told, [("ship.sweep", &Outcome::Done), ("sweep below", &Outcome::Done)]);
    // Nobody has worked on the first meanwhile.
    clock.set("2026-01-01T12:01:00Z");
    assert_eq!(scheduler.run(&app, Stops::never()).await.len(), 1);
    let mut depths: Vec<_> = queue.depths().await.unwrap();
    depths.sort_by(|one, other| one.0.cmp(&other.0));
    let depths: Vec<_> = depths.iter().map(|(queue, depth)| (queue.as_str(), depth.total())).collect();
    assert_eq!(depths, [("low", 1), ("night", 1)]);
}

#[test]
fn a_job_is_shown_as_one_and_needs_the_queue() {
    let tasks = tasks(fill);
    let listed = tasks.list(NOON.parse().unwrap());
    assert!(listed.iter().all(|task| task.kind == TaskKind::Job), "{listed:?}");
    let needs = format!("{:?}", tasks.roots().collect::<Vec<_>>());
    assert!(needs.contains("Queue"), "{needs}");
    let zone = paravel::schedule::Tasks::collect(
        [|schedule: &mut Schedule| {
            schedule.job(Sweep { deck: "upper".to_owned() });
        }],
        &paravel::console::Registry::collect([]),
        Zone::UTC,
    );
    let faults = format!("{:?}", zone.faults());
    assert!(faults.contains("ship.sweep") && faults.contains("it is due at no time"), "{faults}");
}
