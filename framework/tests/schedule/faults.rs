//! What cannot be scheduled, which is said at start, all of it together.

use std::sync::Arc;

use paravel::{
    config::Environment,
    console::{CommandEntry, Registry},
    database::SqliteConn,
    foundation::{Application, ApplicationBuilder, StartError},
    schedule::{Missed, Schedule, Tasks, Weekday},
    support::{Env, Zone},
};

use crate::{console::Sail, events::Journal};

fn registry() -> Registry {
    Registry::collect([CommandEntry::of::<Sail>()])
}

/// What is wrong with one task.
fn faults(fill: impl FnOnce(&mut Schedule)) -> Vec<String> {
    let faults = Tasks::collect([fill], &registry(), Zone::UTC).faults();
    faults.iter().map(ToString::to_string).collect()
}

/// The one thing that is wrong with it, after its name.
fn fault(fill: impl FnOnce(&mut Schedule)) -> String {
    let faults = faults(fill);
    assert_eq!(faults.len(), 1, "{faults:?}");
    let (_, reason) = faults[0].split_once(" cannot be scheduled: ").unwrap();
    reason.to_owned()
}

/// The one thing that is wrong with a task's times.
fn fault_of(say: fn(&mut paravel::schedule::Task) -> &mut paravel::schedule::Task) -> String {
    fault(|schedule| {
        say(schedule.call("it", async || ()));
    })
}

#[test]
fn an_expression_that_is_none_is_told_with_what_is_wrong_and_what_is_expected() {
    let fields = "write five fields: minute (0-59), hour (0-23), day of the month (1-31), month (1-12), day of the week (0-7 \
                  from Sunday, or names); or six with the second (0-59) first";
    for (expression, why) in [
        ("61 * * * *", "`61 * * * *` is no cron expression (Component error: Number out of bounds)"),
        ("* * * *", "`* * * *` is no cron expression (Invalid pattern: Pattern must have 5 or 6 fields"),
        ("0 0 0 1 1 * 2026", "`0 0 0 1 1 * 2026` is no cron expression (Invalid pattern: "),
        ("daily", "`daily` is no cron expression ("),
        ("", "`` is no cron expression (CronPattern cannot be an empty string)"),
    ] {
        let said = fault(|schedule| {
            schedule.call("it", async || ()).cron(expression);
        });
        assert!(said.starts_with(why) && said.ends_with(fields), "{said}");
    }
    let never = fault_of(|task| task.cron("0 0 30 2 *"));
    assert_eq!(never, "it is never due: no day and time is in `0 0 30 2 *` and in the hours allowed");
    let never = fault_of(|task| task.daily_at("3:00").between("8:00", "17:00"));
    assert!(never.starts_with("it is never due: "), "{never}");
    assert!(fault_of(|task| task.name("it")).starts_with("it is due at no time: say when, by `.daily()`"));
}

#[test]
fn whatever_is_written_as_an_expression_breaks_nothing() {
    let parts = [
        "*",
        "0",
        "59",
        "60",
        "-",
        "/",
        ",",
        "L",
        "W",
        "#",
        "?",
        "+",
        "@daily",
        "MON",
        "*/0",
        "5-1",
        "1-",
        "ß",
        "99999999999",
    ];
    let mut random = 7_u64;
    for _ in 0..3000 {
        let mut text = String::new();
        for _ in 0..6 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            text.push_str(parts[usize::try_from(random >> 33).unwrap() % parts.len()]);
            if random >> 62 != 0 {
                text.push(' ');
            }
        }
        faults(|schedule| {
            schedule.call("it", async || ()).cron(&text);
        });
    }
}

#[test]
fn a_time_a_number_or_a_zone_that_is_none_is_told_with_what_is_expected() {
    let time = |text| format!("`{text}` is no time of day: write one from 0:00 to 23:59, such as 13:30");
    assert_eq!(fault_of(|task| task.daily_at("24:00")), time("24:00"));
    assert_eq!(fault_of(|task| task.daily().between("8:00", "5 o'clock")), time("5 o'clock"));
    assert_eq!(fault_of(|task| task.weekly_on(Weekday::Monday, "8")), time("8"));
    assert_eq!(fault_of(|task| task.hourly_at(60)), "60 is no minute: write one from 0 to 59");
    assert_eq!(fault_of(|task| task.twice_daily(1, 24)), "24 is no hour: write one from 0 to 23");
    assert_eq!(fault_of(|task| task.monthly_on(0, "1:00")), "0 is no day: write one from 1 to 31");
    assert_eq!(fault_of(|task| task.yearly_on(13, 1, "1:00")), "13 is no month: write one from 1 to 12");
    assert_eq!(fault_of(|task| task.hourly().days([])), "it is due on no day at all: name one at least");
    let zone = |text, meant: &str| format!("`{text}` is no time zone{meant}: write one such as Europe/Vienna or UTC");
    assert_eq!(fault_of(|task| task.daily().timezone("Vienna")), zone("Vienna", "; did you mean Europe/Vienna?"));
    assert_eq!(fault_of(|task| task.daily().timezone("+02:00")), zone("+02:00", ""));
    let missed = fault_of(|task| task.daily().missed(Missed::Each { at_most: 0 }));
    assert_eq!(missed, "it makes up for no missed run at all: write Missed::Skip for that");
}

#[test]
fn a_command_that_the_console_would_not_accept_is_told_with_what_was_meant() {
    let of = |line: &str| {
        fault(|schedule| {
            schedule.command(line).daily();
        })
    };
    let unknown = of("ship:sial x");
    assert_eq!(unknown, "there is no command `ship:sial`; did you mean `ship:sail`?");
    let slip = of("ship:sail x --league 3");
    assert!(slip.starts_with("unexpected argument '--league' found; ") && slip.contains("'--leagues'"), "{slip}");
    assert!(of("ship:sail").starts_with("the following required arguments were not provided"));
    assert_eq!(of("ship:sail --help"), "it would print help, and do nothing");
    assert_eq!(of("ship:sail 'x"), "`ship:sail 'x` is no command line: its ' is not closed");
    assert_eq!(of("schedule:work"), "`schedule:work` would run the schedule inside the schedule");
}

#[test]
fn names_are_there_and_differ() {
    let twice = faults(|schedule| {
        schedule.call("it", async || ()).daily();
        schedule.call(" it ", async || ()).hourly();
        schedule.call("it", async || ()).hourly().name("another");
    });
    assert_eq!(twice, ["duplicate: two scheduled tasks are called `it`: give one another name by `.name(..)`"]);
    let length = "its name is to have 1 to 255 characters: give it one by `.name(..)`";
    for name in [String::new(), "ä".repeat(256)] {
        let said = fault(|schedule| {
            schedule.call(&name, async || ()).daily();
        });
        assert_eq!(said, length);
    }
}

fn application(env: Env) -> ApplicationBuilder {
    // The listeners of other tests are in this binary.
    Application::builder().env(env).replace(|app| {
        app.instance(Arc::new(Journal::default()));
    })
}

#[test]
fn an_application_tells_all_of_it_together_with_what_is_not_bound() {
    struct Unbound;
    let application = application(Env::default()).schedule(|schedule| {
        schedule.command("no:such").daily();
        schedule.call("needs", async |_: Arc<Unbound>| ()).daily_at("25:00").timezone("Nowhere");
        schedule.call("asks", async || ()).daily().when(async |_: Arc<String>| true);
        schedule.call("hooks", async || ()).daily().before(async |_: Arc<Vec<u8>>| ());
        schedule
            .call("tells", async || ())
            .daily()
            .on_failure(async |_: &paravel::schedule::TaskFailed, _: Arc<u64>| ());
    });
    let Err(StartError::Graph(faults)) = application.build() else { panic!("it has to be refused") };
    let said: Vec<_> = faults.0.iter().map(ToString::to_string).collect();
    let begin = |text: &str| said.iter().filter(|fault| fault.starts_with(text)).count();
    assert_eq!(begin("task: `no:such` cannot be scheduled: there is no command `no:such`"), 1, "{said:#?}");
    assert_eq!(begin("task: `needs` cannot be scheduled: "), 2, "{said:#?}");
    for (key, task) in [("Unbound", "needs"), ("String", "asks"), ("Vec<u8>", "hooks"), ("u64", "tells")] {
        assert_eq!(
            begin(&format!("missing: nothing is bound to `{key}`, needed by scheduled task {task}")),
            1,
            "{said:#?}"
        );
    }
    assert_eq!(said.len(), 7, "{said:#?}");
}

fn on_one_server(env: Env, with_database: bool) -> Result<Application, StartError> {
    let application = application(env).schedule(|schedule| {
        schedule.call("it", async || ()).daily().on_one_server().environments([Environment::Production]);
    });
    if with_database { application.database::<SqliteConn>(&[]).build() } else { application.build() }
}

#[test]
fn one_server_is_not_found_by_what_one_process_keeps() {
    let store = |name: &str, cache: &str| Env::from_pairs([("SCHEDULE_STORE", name), ("CACHE_STORE", cache)]);
    let refused = |built: Result<Application, StartError>| built.err().unwrap().to_string();
    let alone = refused(on_one_server(Env::default(), false));
    let reason =
        "task: `it` cannot be scheduled: it is to run on one server, but this process alone knows what it has run";
    assert!(alone.contains(reason) && alone.contains("CACHE_STORE"), "{alone}");
    assert!(refused(on_one_server(store("cache", "memory"), true)).contains(reason));
    assert!(on_one_server(Env::default(), true).is_ok());
    assert!(on_one_server(store("cache", "database"), true).is_ok());
    let none = refused(on_one_server(store("database", "memory"), false));
    assert!(
        none.contains("SCHEDULE_STORE is `database`, but must be `cache`, because this application has no database"),
        "{none}"
    );
    let zone = refused(on_one_server(Env::from_pairs([("SCHEDULE_TIMEZONE", "Wien")]), true));
    assert!(
        zone.contains("SCHEDULE_TIMEZONE is \"Wien\", but must be a time zone such as Europe/Vienna or UTC"),
        "{zone}"
    );
}
