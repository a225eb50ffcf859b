//! The `schedule:` commands and the facade, in an application with a database.

use std::sync::Arc;

use paravel::{
    database::SqliteConn,
    facades,
    foundation::Application,
    schedule::{Missed, Outcome, Schedule, TaskKind},
    support::{Clock, FakeClock},
    testing::TestApp,
};
use serde_json::{Value, json};

use super::{Seen, at};
use crate::events::Journal;

async fn app(clock: &Arc<FakeClock>, fill: impl FnOnce(&mut Schedule) + Send + 'static) -> TestApp {
    let clock: Arc<dyn Clock> = Arc::<FakeClock>::clone(clock);
    let builder = Application::builder().database::<SqliteConn>(&[]).schedule(fill);
    let builder = builder.replace(|app| {
        app.instance(clock);
        // The listeners of other tests are in this binary.
        app.instance(Arc::new(Journal::default()));
    });
    TestApp::boot(builder).await.unwrap()
}

fn noon() -> Arc<FakeClock> {
    Arc::new(FakeClock::at(at("2026-01-01T12:00:09Z")))
}

async fn json(app: &TestApp, line: &[&str]) -> Value {
    serde_json::from_str(&app.artisan(&[line, &["--json"]].concat()).await.unwrap()).unwrap()
}

#[tokio::test]
async fn list_shows_what_runs_and_when() {
    let app = app(&noon(), |schedule| {
        schedule.command("cache:prune --store default").daily_at("3:30").timezone("Europe/Vienna").on_one_server();
        schedule
            .call("report", async || ())
            .weekdays()
            .every_five_minutes()
            .between("8:00", "17:00")
            .without_overlapping();
        schedule.task("job", Vec::new(), async |_| Ok(())).every_ten_seconds().missed(Missed::Each { at_most: 5 });
    })
    .await;
    let line = |name: &str, kind, expression, next: &str, zone, flags: Value| json!({"name": name, "kind": kind, "expression": expression, "next_due": next, "timezone": zone, "flags": flags});
    assert_eq!(
        json(&app, &["schedule:list"]).await,
        json!([
            line(
                "cache:prune --store default",
                "command",
                "30 3 * * *",
                "2026-01-02T03:30:00+01:00",
                "Europe/Vienna",
                json!(["on one server"])
            ),
            line(
                "report",
                "call",
                "*/5 * * * 1-5",
                "2026-01-01T12:05:00Z",
                "UTC",
                json!(["between 08:00 and 17:00", "without overlapping"])
            ),
            line(
                "job",
                "task",
                "*/10 * * * * *",
                "2026-01-01T12:00:10Z",
                "UTC",
                json!(["on one server", "missed: each, 5 at most"])
            ),
        ])
    );
    let text = app.artisan(&["schedule:list"]).await.unwrap();
    for part in ["Expression", "Next due", "30 3 * * *", "between 08:00 and 17:00, without overlapping"] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let listed = app.run(async { facades::Schedule::list() }).await.unwrap();
    assert_eq!((listed.len(), listed[2].kind), (3, TaskKind::Task));
}

#[tokio::test]
async fn run_does_what_is_due_this_minute_once_on_one_server() {
    let (clock, seen) = (noon(), Seen::default());
    let told = seen.clone();
    let app = app(&clock, move |schedule| {
        schedule.call("one", told.says("one")).every_minute().on_one_server();
        schedule.command("cache:prune").every_minute().without_overlapping();
        schedule.call("later", told.says("later")).hourly_at(1);
    })
    .await;
    let ran = json(&app, &["schedule:run"]).await;
    let of =
        |ran: &Value, field: &str| ran.as_array().unwrap().iter().map(|ran| ran[field].clone()).collect::<Vec<_>>();
    assert_eq!(of(&ran, "task"), ["one", "cache:prune"]);
    assert_eq!(of(&ran, "outcome"), ["done", "done"]);
    assert_eq!(of(&ran, "due"), ["2026-01-01T12:00:00.000000Z"; 2]);
    let again = json(&app, &["schedule:run"]).await;
    assert_eq!((&again[0]["outcome"], &again[0]["reason"]), (&json!("skipped"), &json!("elsewhere")));
    assert_eq!(again[0]["why"], "the run was taken elsewhere");
    clock.set(at("2026-01-01T12:01:59Z"));
    let text = app.artisan(&["schedule:run"]).await.unwrap();
    assert!(text.contains("later") && text.contains("done"), "{text}");
    assert_eq!(["one", "later"].map(|name| seen.count(name)), [2, 1]);
}

#[tokio::test]
async fn run_fails_where_a_task_does() {
    let app = app(&noon(), |schedule| {
        schedule.call("fails", async || Err::<(), _>("as it has to")).every_minute();
        schedule.call("works", async || ()).every_minute();
    })
    .await;
    let error = app.artisan(&["schedule:run"]).await.unwrap_err();
    assert_eq!(error.to_string(), "1 of 2 failed: fails");
}

#[tokio::test]
async fn nothing_to_do_is_said() {
    let app = app(&noon(), |_| ()).await;
    assert_eq!(app.artisan(&["schedule:list"]).await.unwrap(), "Nothing is scheduled.\n");
    assert_eq!(app.artisan(&["schedule:run"]).await.unwrap(), "Nothing is due.\n");
    for command in ["schedule:list", "schedule:run"] {
        assert_eq!(json(&app, &[command]).await, json!([]));
    }
}

#[tokio::test]
async fn test_runs_one_task_and_shows_what_its_command_prints() {
    let seen = Seen::default();
    let told = seen.clone();
    let app = app(&noon(), move |schedule| {
        schedule.call("report", told.says("report")).daily().when(async || false);
        schedule.call("fails", async || Err::<(), _>("as it has to")).daily();
        schedule.command("cache:prune").daily();
    })
    .await;
    assert_eq!(app.artisan(&["schedule:test", "report"]).await.unwrap(), "`report` is done.\n");
    let pruned = app.artisan(&["schedule:test", "cache:prune"]).await.unwrap();
    assert!(pruned.contains("Pruned") && pruned.ends_with("`cache:prune` is done.\n"), "{pruned}");
    let line = json(&app, &["schedule:test", "cache:prune"]).await;
    assert_eq!((&line["task"], &line["outcome"]), (&json!("cache:prune"), &json!("done")));
    let error = app.artisan(&["schedule:test", "fails"]).await.unwrap_err();
    assert_eq!(error.to_string(), "`fails` failed: as it has to");
    let unknown = app.artisan(&["schedule:test", "reprot"]).await.unwrap_err().to_string();
    let said = "no scheduled task is called `reprot`; did you mean `report`?; there are: report, fails, cache:prune";
    assert_eq!(unknown, said);
    let ran = app.run(facades::Schedule::run("report")).await.unwrap();
    assert_eq!((ran.outcome, seen.count("report")), (Outcome::Done, 2));
}

#[tokio::test]
async fn outside_an_application_the_facade_says_so() {
    assert!(facades::Schedule::list().is_err());
    assert!(facades::Schedule::run("report").await.unwrap_err().to_string().contains("no application is running here"));
}
