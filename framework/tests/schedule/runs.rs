//! What is done around a run, and what becomes of one that fails.

use std::{sync::Arc, time::Duration};

use paravel::{
    config::{AppConfig, Environment, ScheduleConfig},
    console::{CommandEntry, Console, Registry, Stops},
    container::current,
    schedule::{Outcome, Ran, Schedule, ScheduleError, Scheduler, Skip, TaskFailed, Tasks},
    support::{BoxError, Env, Zone},
};

use super::{Moving, Seen, Stand, store};
use crate::console::Sail;

const NOON: &str = "2026-01-01T12:00:00Z";

fn at_noon(fill: impl FnOnce(&mut Schedule)) -> Stand {
    Stand::new(Moving::at(NOON), &store(), fill)
}

impl Stand {
    /// Runs what is due this minute.
    pub async fn run(&self) -> Vec<Ran> {
        self.scheduler.run(&self.app, Stops::never()).await
    }
}

fn breaks<T>() -> T {
    panic!("on purpose")
}

fn failed(error: &str) -> Outcome {
    Outcome::Failed { error: error.to_owned() }
}

fn skipped(reason: Skip) -> Outcome {
    Outcome::Skipped { reason }
}

#[tokio::test(start_paused = true)]
async fn what_is_due_this_minute_runs_once() {
    let seen = Seen::default();
    let stand = Stand::new(Moving::at("2026-01-01T12:00:42Z"), &store(), |schedule| {
        schedule.call("each minute", seen.says("each minute")).every_minute();
        schedule.call("each second", seen.says("each second")).every_second();
        schedule.call("at noon", seen.says("at noon")).daily_at("12:00");
        schedule.call("in Vienna", seen.says("in Vienna")).daily_at("13:00").timezone("Europe/Vienna");
        schedule.call("later", seen.says("later")).daily_at("12:01");
        schedule.call("in the morning", seen.says("in the morning")).every_minute().between("8:00", "11:59");
    });
    let all = stand.run().await;
    let told: Vec<_> = all.iter().map(|ran| (ran.task.as_str(), ran.due.to_string())).collect();
    let noon = || "2026-01-01T12:00:00.000000Z".to_owned();
    assert_eq!(told, [("each minute", noon()), ("each second", noon()), ("at noon", noon()), ("in Vienna", noon())]);
    assert!(all.iter().all(|ran| ran.outcome == Outcome::Done));
    assert_eq!(seen.all().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn arguments_are_injected_and_each_run_has_a_scope_of_its_own() {
    let seen = Seen::default();
    let stand = at_noon(|schedule| {
        for name in ["one", "two"] {
            let seen = seen.clone();
            let function = async move |port: Arc<String>| {
                let scope = current()?.current_scope().cloned().ok_or("there is no scope")?;
                let first = scope.get::<&str>().is_none();
                scope.set(name);
                tokio::task::yield_now().await;
                seen.add(format!("{name} in {port}: {first} {}", scope.get::<&str>().unwrap()));
                Ok::<_, BoxError>(())
            };
            schedule.call(name, function).every_minute();
        }
    });
    assert!(stand.run().await.iter().all(|ran| ran.outcome == Outcome::Done));
    let mut all = seen.all();
    all.sort();
    assert_eq!(all, ["one in Narrowhaven: true one", "two in Narrowhaven: true two"]);
}

#[tokio::test(start_paused = true)]
async fn a_task_that_fails_or_panics_is_told_and_hinders_no_other() {
    let seen = Seen::default();
    let stand = at_noon(|schedule| {
        schedule.call("fails", async || Err::<(), _>("as it has to")).every_minute();
        let source = async || Err::<(), _>(paravel::anyhow::anyhow!("the cause").context("it went wrong"));
        schedule.call("fails with a cause", source).every_minute();
        schedule.call("panics", async || breaks::<()>()).every_minute();
        schedule.call("panics at once", || -> std::future::Ready<()> { panic!("before it began") }).every_minute();
        schedule.call("works", seen.says("works")).every_minute();
        schedule
            .task("needs what is not there", Vec::new(), async |app| {
                app.make::<u8>()?;
                Ok(())
            })
            .every_minute();
    });
    let outcomes: Vec<_> = stand.run().await.into_iter().map(|ran| ran.outcome).collect();
    assert_eq!(
        outcomes[..5],
        [
            failed("as it has to"),
            failed("it went wrong: the cause"),
            failed("it panicked: on purpose"),
            failed("it panicked: before it began"),
            Outcome::Done
        ]
    );
    assert_eq!(outcomes[5], failed("nothing is bound to `u8`: bind it in a provider's `register`"));
    assert_eq!(seen.all(), ["works"]);
    let raised: Vec<_> = stand.raised.0.lock().iter().map(|signal| signal.json().unwrap()["task"].clone()).collect();
    assert_eq!(raised.len(), 5);
    assert!(raised.contains(&"panics".into()));
}

#[tokio::test(start_paused = true)]
async fn hooks_run_around_a_task_as_it_ends() {
    let seen = Seen::default();
    let stand = at_noon(|schedule| {
        for (name, works) in [("works", true), ("fails", false)] {
            let add = |what: &'static str| {
                let seen = seen.clone();
                async move |_: Arc<String>| seen.add(format!("{name}: {what}"))
            };
            let told = seen.clone();
            let function = add("itself");
            schedule
                .call(name, async move |port: Arc<String>| {
                    function(port).await;
                    if works { Ok(()) } else { Err("as it has to") }
                })
                .every_minute()
                .without_overlapping()
                .before(add("before"))
                .before(add("before, too"))
                .after(add("after"))
                .on_success(add("on success"))
                .on_failure(async move |failed: &TaskFailed, _: Arc<String>| {
                    told.add(format!("{}: {}", failed.task, failed.error))
                });
        }
    });
    stand.run().await;
    let of = |name: &str| seen.all().into_iter().filter(|seen| seen.starts_with(name)).collect::<Vec<_>>();
    let works = ["before", "before, too", "itself", "on success", "after"];
    assert_eq!(of("works"), works.map(|what| format!("works: {what}")));
    let fails = ["before", "before, too", "itself", "as it has to", "after"];
    assert_eq!(of("fails"), fails.map(|what| format!("fails: {what}")));
}

#[tokio::test(start_paused = true)]
async fn a_hook_that_fails_changes_nothing_but_that_before_it() {
    let seen = Seen::default();
    let stand = at_noon(|schedule| {
        schedule
            .call("works", seen.says("works"))
            .every_minute()
            .on_success(async || breaks::<()>())
            .on_success(seen.says("the next one"))
            .after(async || Err::<(), _>("as it has to"));
        schedule
            .call("is not run", seen.says("is not run"))
            .every_minute()
            .before(async || Err::<(), _>("not today"))
            .on_failure(async |_: &TaskFailed| breaks::<()>())
            .after(seen.says("after it"));
    });
    let outcomes: Vec<_> = stand.run().await.into_iter().map(|ran| ran.outcome).collect();
    assert_eq!(outcomes, [Outcome::Done, failed("its hook `before`: not today")]);
    let mut all = seen.all();
    all.sort();
    assert_eq!(all, ["after it", "the next one", "works"]);
}

#[tokio::test(start_paused = true)]
async fn conditions_say_whether_a_task_runs() {
    let seen = Seen::default();
    let stand = at_noon(|schedule| {
        schedule
            .call("in tests", seen.says("in tests"))
            .every_minute()
            .environments([Environment::Testing, Environment::Local]);
        schedule.call("elsewhere", seen.says("elsewhere")).every_minute().environments([Environment::Production]);
        schedule.call("when", seen.says("when")).every_minute().when(async |port: Arc<String>| *port == "Narrowhaven");
        schedule.call("not when", seen.says("not when")).every_minute().when(async || true).when(async || false);
        schedule.call("skip", seen.says("skip")).every_minute().skip(async || Ok::<_, BoxError>(true));
        schedule.call("not skip", seen.says("not skip")).every_minute().skip(async || false);
        schedule
            .call("asked in vain", seen.says("asked in vain"))
            .every_minute()
            .when(async || Err::<bool, _>("no idea"));
        schedule.call("asked too much", seen.says("asked too much")).every_minute().skip(async || breaks::<bool>());
    });
    let outcomes: Vec<_> = stand.run().await.into_iter().map(|ran| ran.outcome).collect();
    assert_eq!(
        outcomes,
        [
            Outcome::Done,
            skipped(Skip::Environment),
            Outcome::Done,
            skipped(Skip::Condition),
            skipped(Skip::Condition),
            Outcome::Done,
            failed("its condition: no idea"),
            failed("its condition: it panicked: on purpose"),
        ]
    );
    let mut all = seen.all();
    all.sort();
    assert_eq!(all, ["in tests", "not skip", "when"]);
}

#[tokio::test(start_paused = true)]
async fn a_task_can_be_run_whatever_time_it_is_and_is_found_by_its_name() {
    let seen = Seen::default();
    let stand = at_noon(|schedule| {
        schedule.call("at night", seen.says("at night")).daily_at("3:00").when(async || false).on_one_server();
        schedule.call("at noon", seen.says("at noon")).daily_at("12:00");
    });
    let (mut console, _) = Console::memory(false);
    let ran = stand.scheduler.run_now("at night", &stand.app, &mut console).await.unwrap();
    assert_eq!((ran.outcome, seen.all()), (Outcome::Done, vec!["at night".to_owned()]));
    let unknown = stand.scheduler.run_now("at nigth", &stand.app, &mut console).await.unwrap_err();
    assert!(matches!(unknown, ScheduleError::Unknown { .. }));
    let said = "no scheduled task is called `at nigth`; did you mean `at night`?; there are: at night, at noon";
    assert_eq!(unknown.to_string(), said);
}

#[tokio::test(start_paused = true)]
async fn a_command_runs_in_this_process_as_its_line_says() {
    let fill = |schedule: &mut Schedule| {
        schedule.command("ship:sail 'Dawn Treader' --leagues 3").every_minute();
        schedule.command("ship:sail x --leagues 1000").every_minute();
    };
    let registry = Registry::collect([CommandEntry::of::<Sail>()]);
    let tasks = Tasks::collect([fill], &registry, Zone::UTC);
    assert_eq!(tasks.faults(), []);
    let of = at_noon(|_| ());
    let env = Env::default();
    let (app, config) = (AppConfig::from_env(&env), ScheduleConfig::from_env(&env));
    let scheduler = Arc::new(Scheduler::new(Arc::new(tasks), store(), Moving::at(NOON), &app, &config));
    let outcomes: Vec<_> = scheduler.run(&of.app, Stops::never()).await.into_iter().map(|ran| ran.outcome).collect();
    assert_eq!(outcomes, [Outcome::Done, failed("the world ends there")]);
    let (mut console, written) = Console::memory(false);
    let name = "ship:sail 'Dawn Treader' --leagues 3";
    let ran = scheduler.run_now(name, &of.app, &mut console).await.unwrap();
    assert_eq!(ran.outcome, Outcome::Done);
    assert!(written.text().contains("Dawn Treader"), "{}", written.text());
    let near = scheduler.run_now("ship:sail", &of.app, &mut console).await.unwrap_err().to_string();
    assert!(near.contains("did you mean `ship:sail 'Dawn Treader' --leagues 3`?"), "{near}");
}

#[tokio::test(start_paused = true)]
async fn a_run_tells_how_long_it_took() {
    let stand = at_noon(|schedule| {
        schedule.call("slow", async || tokio::time::sleep(Duration::from_secs(3)).await).every_minute();
    });
    let all = stand.run().await;
    assert_eq!(all[0].took.as_secs(), 3);
    let json = serde_json::to_value(&all[0]).unwrap();
    assert!(json["milliseconds"].as_u64().unwrap() >= 3000);
    assert_eq!((&json["task"], &json["outcome"]), (&"slow".into(), &"done".into()));
}
