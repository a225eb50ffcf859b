use std::collections::VecDeque;

use chrono::{DateTime, LocalResult, NaiveDateTime, TimeDelta, TimeZone};
use chrono_tz::Tz;
use croner::{
    Cron,
    parser::{CronParser, Seconds, Year},
};

use super::window::Window;
use crate::support::{Timestamp, Zone};

/// How many times in a row may be outside the hours in which a task is due, before it is taken to be due never.
const MOST_OUTSIDE: usize = 10_000;

/// The moments at which a task is due.
///
/// A **time of day** (no `*` among second, minute and hour) is due once a day, whatever the clocks do: where they are put
/// forward over it, at the first moment after; where they are put back, the first time. An **interval** goes by real time: what
/// the clocks leave out is not due, and what they show twice is due twice.
#[derive(Debug, Clone)]
pub(super) struct Calendar {
    cron: Cron,
    is_time_of_day: bool,
    zone: Zone,
    windows: Vec<Window>,
}

impl Calendar {
    /// The times of an expression of five fields, or of six with the seconds first.
    pub(super) fn new(expression: &str, zone: Zone, windows: Vec<Window>) -> Result<Self, String> {
        let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
        let cron = parser.parse(expression).map_err(|error| {
            format!(
                "`{expression}` is no cron expression ({}): write five fields: minute (0-59), hour (0-23), day of the month \
                 (1-31), month (1-12), day of the week (0-7 from Sunday, or names); or six with the second (0-59) first",
                error.to_string().trim_end_matches('.')
            )
        })?;
        // As it was read, without names and nicknames.
        let fields: Vec<_> = cron.as_str().split_whitespace().collect();
        let times = &fields[..fields.len().saturating_sub(3)];
        let is_time_of_day = !times.iter().any(|field| field.contains('*'));
        Ok(Self { cron, is_time_of_day, zone, windows })
    }

    pub(super) fn zone(&self) -> Zone {
        self.zone
    }

    /// Whether it is about times of day, which do not come again where the clock was put back.
    pub(super) fn is_time_of_day(&self) -> bool {
        self.is_time_of_day
    }

    /// When it is due next after a moment; `None` where that is never.
    pub(super) fn next(&self, after: Timestamp) -> Option<Timestamp> {
        let mut after = self.zone.local(after);
        for _ in 0..MOST_OUTSIDE {
            let due = self.occurrence(&after).filter(|due| *due > after)?;
            let Some(closed) = self.windows.iter().find(|window| !window.allows(due.time())) else {
                return Some(due.to_utc().into());
            };
            after = self.before_opening(*closed, due);
        }
        None
    }

    /// The last times, so many at most, that it was due after a moment and until another; the oldest first.
    pub(super) fn latest(&self, most: usize, after: Timestamp, until: Timestamp) -> Vec<Timestamp> {
        // From the end backwards by spans that double, so that what was due for years is not gone through.
        let mut span = TimeDelta::minutes(1);
        loop {
            let from = until.utc().checked_sub_signed(span).map_or(after, Timestamp::from).max(after);
            // Not of the most there may be, which may be as many as there are numbers.
            let mut dues = VecDeque::new();
            let mut next = self.next(from);
            while let Some(due) = next.filter(|due| *due <= until) {
                if dues.len() == most {
                    dues.pop_front();
                }
                dues.push_back(due);
                next = self.next(due);
            }
            if dues.len() >= most || from == after {
                return dues.into();
            }
            span = span.checked_mul(2).unwrap_or(TimeDelta::MAX);
        }
    }

    /// The first time after a moment that the expression names.
    fn occurrence(&self, after: &DateTime<Tz>) -> Option<DateTime<Tz>> {
        if !self.is_time_of_day {
            return self.cron.find_next_occurrence(after, false).ok();
        }
        let mut civil = after.naive_local();
        loop {
            civil = self.cron.find_next_occurrence(&civil, false).ok()?;
            // The second time that clocks show it is not after the first.
            let due = self.moment(civil)?;
            if due > *after {
                return Some(due);
            }
        }
    }

    /// When clocks show this first, or have been put forward over it.
    fn moment(&self, civil: NaiveDateTime) -> Option<DateTime<Tz>> {
        let zone = self.zone.tz();
        match zone.from_local_datetime(&civil) {
            LocalResult::Single(moment) | LocalResult::Ambiguous(moment, _) => Some(moment),
            LocalResult::None => {
                let shown = |hours| zone.from_local_datetime(&(civil - TimeDelta::hours(hours))).latest();
                // A zone has left out a whole day before.
                let before = (1..=48).find_map(shown)?;
                Some(first_with_other_offset(&before, civil.signed_duration_since(before.naive_local())))
            }
        }
    }

    /// A moment after `due`, from which on the next one that the window allows is found.
    fn before_opening(&self, window: Window, due: DateTime<Tz>) -> DateTime<Tz> {
        let (time, is_itself_open) = window.opens();
        let local = due.naive_local();
        let today = local.date().and_time(time);
        let opening = if today > local { today } else { today + TimeDelta::days(1) };
        let moment = self.moment(opening).map(|moment| match is_itself_open {
            true => moment - TimeDelta::seconds(1),
            false => moment,
        });
        moment.map_or(due, |moment| moment.max(due))
    }
}

/// The first second within `span` after `before` whose offset from UTC is another one.
fn first_with_other_offset(before: &DateTime<Tz>, span: TimeDelta) -> DateTime<Tz> {
    let offset = |moment: &DateTime<Tz>| moment.naive_local() - moment.naive_utc();
    let (mut same, mut other) = (0, span.num_seconds());
    while other - same > 1 {
        let middle = same + (other - same) / 2;
        match offset(&(*before + TimeDelta::seconds(middle))) == offset(before) {
            true => same = middle,
            false => other = middle,
        }
    }
    *before + TimeDelta::seconds(other)
}
