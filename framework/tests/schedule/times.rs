//! When tasks are due.

use chrono::{DateTime, TimeDelta, Timelike};
use chrono_tz::Tz;
use paravel::{
    console::Registry,
    schedule::{Schedule, Task, Tasks, Weekday},
    support::{Timestamp, Zone},
};

use super::{at, tasks};

/// A way to say when a task is due.
type Say = fn(&mut Task) -> &mut Task;

fn scheduled(say: Say) -> Tasks {
    tasks(|schedule| {
        say(schedule.call("it", async || ()));
    })
}

/// The next times after a moment, as clocks in the task's zone show them.
fn dues(say: Say, after: &str, count: usize) -> Vec<String> {
    let tasks = scheduled(say);
    let mut after = at(after);
    let next = || {
        let due = tasks.list(after)[0].next_due.clone().unwrap();
        after = at(&due);
        due
    };
    std::iter::repeat_with(next).take(count).collect()
}

#[test]
fn a_frequency_is_a_cron_expression() {
    let said: [(Say, &str); 51] = [
        (|task| task.every_second(), "* * * * * *"),
        (|task| task.every_five_seconds(), "*/5 * * * * *"),
        (|task| task.every_thirty_seconds(), "*/30 * * * * *"),
        (|task| task.every_minute(), "* * * * *"),
        (|task| task.every_five_minutes(), "*/5 * * * *"),
        (|task| task.every_thirty_minutes(), "*/30 * * * *"),
        (|task| task.hourly(), "0 * * * *"),
        (|task| task.hourly_at(17), "17 * * * *"),
        (|task| task.every_six_hours(), "0 */6 * * *"),
        (|task| task.daily(), "0 0 * * *"),
        (|task| task.daily_at("13:05"), "5 13 * * *"),
        (|task| task.daily_at("3:00"), "0 3 * * *"),
        (|task| task.twice_daily(1, 13), "0 1,13 * * *"),
        (|task| task.twice_daily_at(1, 13, 15), "15 1,13 * * *"),
        (|task| task.weekly(), "0 0 * * 0"),
        (|task| task.weekly_on(Weekday::Monday, "8:00"), "0 8 * * 1"),
        (|task| task.monthly(), "0 0 1 * *"),
        (|task| task.monthly_on(4, "15:00"), "0 15 4 * *"),
        (|task| task.twice_monthly(1, 16, "13:00"), "0 13 1,16 * *"),
        (|task| task.last_day_of_month("15:00"), "0 15 L * *"),
        (|task| task.quarterly(), "0 0 1 1,4,7,10 *"),
        (|task| task.quarterly_on(4, "14:00"), "0 14 4 1,4,7,10 *"),
        (|task| task.yearly(), "0 0 1 1 *"),
        (|task| task.yearly_on(6, 1, "17:00"), "0 17 1 6 *"),
        (|task| task.weekdays().at("9:30"), "30 9 * * 1-5"),
        (|task| task.daily().weekends(), "0 0 * * 0,6"),
        (|task| task.hourly().mondays(), "0 * * * 1"),
        (|task| task.hourly().tuesdays(), "0 * * * 2"),
        (|task| task.hourly().wednesdays(), "0 * * * 3"),
        (|task| task.hourly().thursdays(), "0 * * * 4"),
        (|task| task.hourly().fridays(), "0 * * * 5"),
        (|task| task.hourly().saturdays(), "0 * * * 6"),
        (|task| task.hourly().sundays(), "0 * * * 0"),
        (|task| task.daily().days([Weekday::Tuesday, Weekday::Sunday]), "0 0 * * 2,0"),
        (|task| task.every_ten_seconds().every_minute(), "* * * * *"),
        (|task| task.cron("*/7 3 * * *"), "*/7 3 * * *"),
        (|task| task.cron("30 */7 3 * * *"), "30 */7 3 * * *"),
        (|task| task.cron("*/7 3 * * *").weekdays(), "*/7 3 * * 1-5"),
        (|task| task.cron("30 */7 3 * * *").sundays(), "30 */7 3 * * 0"),
        (|task| task.cron("@weekly"), "@weekly"),
        (|task| task.cron("@weekly").at("13:00"), "0 13 * * 0"),
        (|task| task.cron("@daily").at("13:00"), "0 13 * * *"),
        (|task| task.cron("@Hourly").weekdays(), "0 * * * 1-5"),
        (|task| task.cron("@monthly").at("13:00"), "0 13 1 * *"),
        (|task| task.cron("@annually").at("13:00"), "0 13 1 1 *"),
        (|task| task.cron("@yearly").at("13:00"), "0 13 1 1 *"),
        // Of both kinds of days, both have to be.
        (|task| task.monthly_on(13, "9:00").fridays(), "0 9 13 * +5"),
        (|task| task.fridays().monthly_on(13, "9:00"), "0 9 13 * +5"),
        (|task| task.cron("0 9 13 * *").fridays(), "0 9 13 * +5"),
        (|task| task.cron("0 9 13 * 5"), "0 9 13 * 5"),
        (|task| task.cron("0 9 13 * 5").at("10:30"), "30 10 13 * 5"),
    ];
    for (say, expression) in said {
        assert_eq!(scheduled(say).list(at("2026-01-01T00:00:00Z"))[0].expression, expression);
    }
}

#[test]
fn a_task_is_due_when_its_expression_says() {
    assert_eq!(
        dues(|task| task.every_five_minutes(), "2026-01-01T10:03:00Z", 2),
        ["2026-01-01T10:05:00Z", "2026-01-01T10:10:00Z"]
    );
    // Thursday is the first of January.
    assert_eq!(
        dues(|task| task.weekly_on(Weekday::Monday, "8:00"), "2026-01-01T00:00:00Z", 2),
        ["2026-01-05T08:00:00Z", "2026-01-12T08:00:00Z"]
    );
    assert_eq!(
        dues(|task| task.last_day_of_month("15:00"), "2028-01-31T15:00:00Z", 2),
        ["2028-02-29T15:00:00Z", "2028-03-31T15:00:00Z"]
    );
    assert_eq!(
        dues(|task| task.monthly_on(31, "1:00"), "2026-03-31T12:00:00Z", 2),
        ["2026-05-31T01:00:00Z", "2026-07-31T01:00:00Z"]
    );
    assert_eq!(
        dues(|task| task.daily_at("8:00").timezone("Asia/Tokyo"), "2026-01-01T00:00:00Z", 2),
        ["2026-01-02T08:00:00+09:00", "2026-01-03T08:00:00+09:00"]
    );
    assert_eq!(
        dues(|task| task.cron("15,45 30 8 29 2 *"), "2026-01-01T00:00:00Z", 2),
        ["2028-02-29T08:30:15Z", "2028-02-29T08:30:45Z"]
    );
}

#[test]
fn days_that_methods_name_are_the_only_ones_and_those_of_an_expression_are_either() {
    // The first Friday that is a thirteenth is in February.
    let both: Say = |task| task.monthly_on(13, "9:00").fridays();
    assert_eq!(
        dues(both, "2026-01-01T00:00:00Z", 3),
        ["2026-02-13T09:00:00Z", "2026-03-13T09:00:00Z", "2026-11-13T09:00:00Z"]
    );
    let last: Say = |task| task.last_day_of_month("9:00").weekdays();
    assert_eq!(dues(last, "2026-01-01T00:00:00Z", 2), ["2026-03-31T09:00:00Z", "2026-04-30T09:00:00Z"]);
    let either: Say = |task| task.cron("0 9 13 * 5");
    assert_eq!(dues(either, "2026-01-10T00:00:00Z", 2), ["2026-01-13T09:00:00Z", "2026-01-16T09:00:00Z"]);
}

#[test]
fn hours_of_the_day_are_part_of_when_it_is_due() {
    let office: Say = |task| task.hourly().between("8:00", "17:00");
    assert_eq!(
        dues(office, "2026-01-01T16:30:00Z", 3),
        ["2026-01-01T17:00:00Z", "2026-01-02T08:00:00Z", "2026-01-02T09:00:00Z"]
    );
    let night: Say = |task| task.every_two_hours().between("22:00", "5:00");
    assert_eq!(
        dues(night, "2026-01-01T03:00:00Z", 3),
        ["2026-01-01T04:00:00Z", "2026-01-01T22:00:00Z", "2026-01-02T00:00:00Z"]
    );
    let not_at_night: Say = |task| task.every_second().unless_between("22:00", "5:00");
    assert_eq!(dues(not_at_night, "2026-01-01T21:59:58Z", 2), ["2026-01-01T21:59:59Z", "2026-01-02T05:00:01Z"]);
    let both: Say = |task| task.every_minute().between("8:00", "17:00").unless_between("12:00", "13:00");
    assert_eq!(dues(both, "2026-01-01T11:59:00Z", 1), ["2026-01-01T13:01:00Z"]);
    let in_vienna: Say = |task| task.hourly().between("8:00", "9:00").timezone("Europe/Vienna");
    assert_eq!(dues(in_vienna, "2026-01-01T08:00:00Z", 2), ["2026-01-02T08:00:00+01:00", "2026-01-02T09:00:00+01:00"]);
}

// In Vienna clocks went from 02:00 to 03:00 on 2026-03-29, and from 03:00 to 02:00 on 2026-10-25.

#[test]
fn a_time_of_day_that_clocks_leave_out_comes_once_right_after() {
    let say: Say = |task| task.daily_at("2:30").timezone("Europe/Vienna");
    let expected = ["2026-03-28T02:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"];
    assert_eq!(dues(say, "2026-03-27T12:00:00Z", 3), expected);
    let twice: Say = |task| task.twice_daily_at(2, 14, 15).timezone("Europe/Vienna");
    let expected = ["2026-03-29T03:00:00+02:00", "2026-03-29T14:15:00+02:00", "2026-03-30T02:15:00+02:00"];
    assert_eq!(dues(twice, "2026-03-29T00:00:00Z", 3), expected);
    // Two of them are one.
    let two: Say = |task| task.cron("15,45 2 * * *").timezone("Europe/Vienna");
    let expected = ["2026-03-29T03:00:00+02:00", "2026-03-30T02:15:00+02:00"];
    assert_eq!(dues(two, "2026-03-28T12:00:00Z", 2), expected);
    // The hour before is as always, and so is midnight.
    let before: Say = |task| task.daily_at("1:30").timezone("Europe/Vienna");
    let expected = ["2026-03-29T01:30:00+01:00", "2026-03-30T01:30:00+02:00"];
    assert_eq!(dues(before, "2026-03-28T12:00:00Z", 2), expected);
    // Where the day itself begins later, and where clocks go by half an hour.
    let beirut: Say = |task| task.daily().timezone("Asia/Beirut");
    assert_eq!(dues(beirut, "2026-03-28T12:00:00Z", 2), ["2026-03-29T01:00:00+03:00", "2026-03-30T00:00:00+03:00"]);
    let lord_howe: Say = |task| task.daily_at("2:10").timezone("Australia/Lord_Howe");
    let expected = ["2026-10-04T02:30:00+11:00", "2026-10-05T02:10:00+11:00"];
    assert_eq!(dues(lord_howe, "2026-10-03T12:00:00Z", 2), expected);
}

#[test]
fn a_time_of_day_that_clocks_show_twice_comes_once() {
    let say: Say = |task| task.daily_at("2:30").timezone("Europe/Vienna");
    let expected = ["2026-10-24T02:30:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"];
    assert_eq!(dues(say, "2026-10-23T12:00:00Z", 3), expected);
    let twice: Say = |task| task.twice_daily(2, 14).timezone("Europe/Vienna");
    let expected = ["2026-10-25T02:00:00+02:00", "2026-10-25T14:00:00+01:00"];
    assert_eq!(dues(twice, "2026-10-24T13:00:00Z", 2), expected);
    // After the second time has begun, too.
    assert_eq!(dues(say, "2026-10-25T01:10:00Z", 1), ["2026-10-26T02:30:00+01:00"]);
}

#[test]
fn an_interval_goes_by_real_time() {
    let say: Say = |task| task.every_thirty_minutes().timezone("Europe/Vienna");
    let spring = ["2026-03-29T01:30:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-29T03:30:00+02:00"];
    assert_eq!(dues(say, "2026-03-29T00:00:00Z", 3), spring);
    let autumn = [
        "2026-10-25T02:30:00+02:00",
        "2026-10-25T02:00:00+01:00",
        "2026-10-25T02:30:00+01:00",
        "2026-10-25T03:00:00+01:00",
    ];
    assert_eq!(dues(say, "2026-10-25T00:00:00Z", 4), autumn);
    let hourly: Say = |task| task.hourly_at(45).timezone("Europe/Vienna");
    let autumn = ["2026-10-25T02:45:00+02:00", "2026-10-25T02:45:00+01:00", "2026-10-25T03:45:00+01:00"];
    assert_eq!(dues(hourly, "2026-10-25T00:00:00Z", 3), autumn);
}

/// Whether a minute is one that an expression names.
type Named = fn(&DateTime<Tz>) -> bool;

/// What is due each minute, by looking at each of them: all minutes whose clock shows a time that is named.
fn looked_at(zone: Zone, named: Named, from: Timestamp, minutes: i64) -> Vec<Timestamp> {
    let zone: Tz = zone.to_string().parse().unwrap();
    let moments = (1..=minutes).map(|minute| from.utc() + TimeDelta::minutes(minute));
    moments.filter(|moment| named(&moment.with_timezone(&zone))).map(Timestamp::from).collect()
}

#[test]
fn an_interval_leaves_out_no_minute_around_any_change_of_clocks() {
    let intervals: [(&str, Named); 4] = [
        ("* * * * *", |_| true),
        ("*/20 * * * *", |local| local.minute() % 20 == 0),
        ("17 * * * *", |local| local.minute() == 17),
        ("*/15 1-3 * * *", |local| local.minute() % 15 == 0 && (1..=3).contains(&local.hour())),
    ];
    let changes = [
        ("Europe/Vienna", "2026-03-28T22:00:00Z"),
        ("Europe/Vienna", "2026-10-24T22:00:00Z"),
        ("America/New_York", "2026-03-08T04:00:00Z"),
        ("America/New_York", "2026-11-01T03:00:00Z"),
        ("Australia/Lord_Howe", "2026-04-04T12:00:00Z"),
        ("Australia/Lord_Howe", "2026-10-03T12:00:00Z"),
        ("Africa/Cairo", "2026-04-23T20:00:00Z"),
        ("Asia/Kathmandu", "2026-01-01T00:00:00Z"),
    ];
    for (zone, from) in changes {
        let (zone, from): (Zone, _) = (zone.parse().unwrap(), at(from));
        for (expression, named) in intervals {
            let fill = |schedule: &mut Schedule| {
                schedule.call("it", async || ()).cron(expression);
            };
            let tasks = Tasks::collect([fill], &Registry::default(), zone);
            let expected = looked_at(zone, named, from, 8 * 60);
            let mut now = from;
            for due in expected {
                now = at(tasks.list(now)[0].next_due.as_deref().unwrap());
                assert_eq!(now, due, "{expression} in {zone}");
            }
        }
    }
}

#[test]
fn a_time_of_day_comes_once_on_each_day_of_a_year() {
    for zone in ["Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "Asia/Beirut", "America/Havana"] {
        let zone: Zone = zone.parse().unwrap();
        for time in ["0:00", "0:30", "1:00", "1:30", "2:00", "2:15", "3:00", "12:00"] {
            let fill = |schedule: &mut Schedule| {
                schedule.call("it", async || ()).daily_at(time);
            };
            let tasks = Tasks::collect([fill], &Registry::default(), zone);
            let mut now = at("2026-01-01T12:00:00Z");
            let days = (0..365).map(|_| {
                let due = tasks.list(now)[0].next_due.clone().unwrap();
                now = at(&due);
                due[..10].to_owned()
            });
            let days: Vec<_> = days.collect();
            let mut each_once = days.clone();
            each_once.dedup();
            assert_eq!(days, each_once, "{time} in {zone}");
            let span = chrono::NaiveDate::signed_duration_since(days[364].parse().unwrap(), days[0].parse().unwrap());
            assert_eq!(span.num_days(), 364, "{time} in {zone}");
        }
    }
}
