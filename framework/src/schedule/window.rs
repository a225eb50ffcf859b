use chrono::NaiveTime;

/// A time of the day within which a task is due, or is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    from: NaiveTime,
    to: NaiveTime,
    is_open: bool,
}

impl Window {
    /// From this time to that, both included, past midnight where the second is the earlier one.
    pub(super) fn open(from: NaiveTime, to: NaiveTime) -> Self {
        Self { from, to, is_open: true }
    }

    /// Always but then.
    pub(super) fn closed(from: NaiveTime, to: NaiveTime) -> Self {
        Self { from, to, is_open: false }
    }

    pub(super) fn allows(&self, time: NaiveTime) -> bool {
        let inside = match self.from <= self.to {
            true => self.from <= time && time <= self.to,
            false => self.from <= time || time <= self.to,
        };
        inside == self.is_open
    }

    /// The time of day from which on it allows again, or after which, where it is not that time itself.
    pub(super) fn opens(&self) -> (NaiveTime, bool) {
        if self.is_open { (self.from, true) } else { (self.to, false) }
    }

    /// As `schedule:list` shows it.
    pub(super) fn show(&self) -> String {
        let word = if self.is_open { "between" } else { "not between" };
        format!("{word} {} and {}", self.from.format("%H:%M"), self.to.format("%H:%M"))
    }
}
