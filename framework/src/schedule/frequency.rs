use std::ops::RangeInclusive;

use chrono::Timelike;

use super::{
    Task, Weekday,
    fields::{Field, Fields},
};

/// Methods that set some fields of the expression.
macro_rules! frequencies {
    ($($(#[$doc:meta])* $name:ident: $($field:ident = $value:literal),+;)*) => {
        impl Task {
            $($(#[$doc])*
            pub fn $name(&mut self) -> &mut Self {
                $(self.fields.set(Field::$field, $value);)+
                self
            })*
        }
    };
}

frequencies! {
    /// Each second.
    every_second: Second = "*";
    /// Every two seconds.
    every_two_seconds: Second = "*/2";
    /// Every five seconds.
    every_five_seconds: Second = "*/5";
    /// Every ten seconds.
    every_ten_seconds: Second = "*/10";
    /// Every fifteen seconds.
    every_fifteen_seconds: Second = "*/15";
    /// Every twenty seconds.
    every_twenty_seconds: Second = "*/20";
    /// Every thirty seconds.
    every_thirty_seconds: Second = "*/30";
    /// Each minute.
    every_minute: Second = "0", Minute = "*";
    /// Every two minutes.
    every_two_minutes: Second = "0", Minute = "*/2";
    /// Every three minutes.
    every_three_minutes: Second = "0", Minute = "*/3";
    /// Every four minutes.
    every_four_minutes: Second = "0", Minute = "*/4";
    /// Every five minutes.
    every_five_minutes: Second = "0", Minute = "*/5";
    /// Every ten minutes.
    every_ten_minutes: Second = "0", Minute = "*/10";
    /// Every fifteen minutes.
    every_fifteen_minutes: Second = "0", Minute = "*/15";
    /// Every thirty minutes.
    every_thirty_minutes: Second = "0", Minute = "*/30";
    /// At the beginning of each hour.
    hourly: Second = "0", Minute = "0";
    /// At the beginning of every second hour, from midnight on.
    every_two_hours: Second = "0", Minute = "0", Hour = "*/2";
    /// At the beginning of every third hour, from midnight on.
    every_three_hours: Second = "0", Minute = "0", Hour = "*/3";
    /// At the beginning of every fourth hour, from midnight on.
    every_four_hours: Second = "0", Minute = "0", Hour = "*/4";
    /// At the beginning of every sixth hour, from midnight on.
    every_six_hours: Second = "0", Minute = "0", Hour = "*/6";
    /// At midnight.
    daily: Second = "0", Minute = "0", Hour = "0";
    /// On Sundays at midnight.
    weekly: Second = "0", Minute = "0", Hour = "0", Weekday = "0";
    /// On the first of each month at midnight.
    monthly: Second = "0", Minute = "0", Hour = "0", Day = "1";
    /// On the first of January, April, July and October at midnight.
    quarterly: Second = "0", Minute = "0", Hour = "0", Day = "1", Month = "1,4,7,10";
    /// On the first of January at midnight.
    yearly: Second = "0", Minute = "0", Hour = "0", Day = "1", Month = "1";
    /// From Monday to Friday alone.
    weekdays: Weekday = "1-5";
    /// On Saturdays and Sundays alone.
    weekends: Weekday = "0,6";
    /// On Mondays alone.
    mondays: Weekday = "1";
    /// On Tuesdays alone.
    tuesdays: Weekday = "2";
    /// On Wednesdays alone.
    wednesdays: Weekday = "3";
    /// On Thursdays alone.
    thursdays: Weekday = "4";
    /// On Fridays alone.
    fridays: Weekday = "5";
    /// On Saturdays alone.
    saturdays: Weekday = "6";
    /// On Sundays alone.
    sundays: Weekday = "0";
}

impl Task {
    /// When a cron expression says: of five fields (minute, hour, day of the month, month, day of the week), or of six with the
    /// second first.
    pub fn cron(&mut self, expression: &str) -> &mut Self {
        self.fields = Fields::Whole(expression.trim().to_owned());
        self
    }

    /// At this minute of each hour, from 0 to 59.
    pub fn hourly_at(&mut self, minute: u8) -> &mut Self {
        self.number(Field::Minute, minute, 0..=59).zero(&[Field::Second])
    }

    /// At this time of each day: `daily_at("13:30")`.
    pub fn daily_at(&mut self, time: &str) -> &mut Self {
        self.at(time)
    }

    /// At this time, on the days that are said otherwise: `weekdays().at("13:30")`.
    pub fn at(&mut self, time: &str) -> &mut Self {
        if let Some(time) = self.time(time) {
            self.fields.set(Field::Minute, &time.minute().to_string());
            self.fields.set(Field::Hour, &time.hour().to_string());
        }
        self.zero(&[Field::Second])
    }

    /// At the beginning of these two hours of each day, from 0 to 23.
    pub fn twice_daily(&mut self, first: u8, second: u8) -> &mut Self {
        self.twice_daily_at(first, second, 0)
    }

    /// In these two hours of each day, from 0 to 23, at this minute.
    pub fn twice_daily_at(&mut self, first: u8, second: u8, minute: u8) -> &mut Self {
        self.numbers(Field::Hour, &[first, second], 0..=23).number(Field::Minute, minute, 0..=59).zero(&[Field::Second])
    }

    /// Each week on this day at this time.
    pub fn weekly_on(&mut self, day: Weekday, time: &str) -> &mut Self {
        self.days([day]).at(time)
    }

    /// On these days of the week alone.
    pub fn days(&mut self, days: impl IntoIterator<Item = Weekday>) -> &mut Self {
        let days: Vec<_> = days.into_iter().map(Weekday::number).collect();
        self.numbers(Field::Weekday, &days, 0..=6)
    }

    /// Each month on this day, from 1 to 31, at this time; a month without that day is left out.
    pub fn monthly_on(&mut self, day: u8, time: &str) -> &mut Self {
        self.number(Field::Day, day, 1..=31).at(time)
    }

    /// Each month on these two days at this time.
    pub fn twice_monthly(&mut self, first: u8, second: u8, time: &str) -> &mut Self {
        self.numbers(Field::Day, &[first, second], 1..=31).at(time)
    }

    /// On the last day of each month at this time.
    pub fn last_day_of_month(&mut self, time: &str) -> &mut Self {
        self.fields.set(Field::Day, "L");
        self.at(time)
    }

    /// On this day of January, April, July and October at this time.
    pub fn quarterly_on(&mut self, day: u8, time: &str) -> &mut Self {
        self.quarterly().monthly_on(day, time)
    }

    /// Each year in this month, from 1 to 12, on this day at this time.
    pub fn yearly_on(&mut self, month: u8, day: u8, time: &str) -> &mut Self {
        self.number(Field::Month, month, 1..=12).monthly_on(day, time)
    }

    fn number(&mut self, field: Field, number: u8, range: RangeInclusive<u8>) -> &mut Self {
        self.numbers(field, &[number], range)
    }

    fn numbers(&mut self, field: Field, numbers: &[u8], range: RangeInclusive<u8>) -> &mut Self {
        for number in numbers.iter().filter(|number| !range.contains(number)) {
            let (what, from, to) = (format!("{field:?}").to_lowercase(), range.start(), range.end());
            self.faults.push(format!("{number} is no {what}: write one from {from} to {to}"));
        }
        if numbers.is_empty() {
            self.faults.push("it is due on no day at all: name one at least".to_owned());
        }
        let numbers: Vec<_> = numbers.iter().map(u8::to_string).collect();
        self.fields.set(field, &numbers.join(","));
        self
    }

    fn zero(&mut self, fields: &[Field]) -> &mut Self {
        for field in fields {
            self.fields.set(*field, "0");
        }
        self
    }
}
