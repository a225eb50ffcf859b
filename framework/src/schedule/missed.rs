use std::time::Duration;

use serde::Serialize;

use crate::support::Timestamp;

/// How late a run may be without counting as missed: a machine that is busy is not one that was off.
pub(super) const ON_TIME: Duration = Duration::from_secs(60);

/// What becomes of the times at which a task was due and no scheduler was there to run it, or only more than a minute later.
///
/// ```
/// use paravel::schedule::{Missed, Schedule};
///
/// fn schedule(schedule: &mut Schedule) {
///     schedule.call("invoices", async || ()).daily_at("4:00").missed(Missed::Each { at_most: 7 });
/// }
/// # let _ = schedule;
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Missed {
    /// Nothing.
    #[default]
    Skip,
    /// One run makes up for all of them.
    Once,
    /// One run each, one after the other, the oldest first.
    Each {
        /// Only for so many, the most recent ones.
        at_most: usize,
    },
}

impl Missed {
    /// How many of the most recent times have to be known.
    pub(super) fn depth(self) -> usize {
        match self {
            Self::Skip | Self::Once => 1,
            Self::Each { at_most } => at_most.max(1),
        }
    }

    /// For which of the times, the oldest first, there is a run.
    pub(super) fn chosen(self, mut dues: Vec<Timestamp>, now: Timestamp) -> Vec<Timestamp> {
        match self {
            Self::Skip => dues.retain(|due| due.plus(ON_TIME) >= now),
            Self::Once | Self::Each { .. } => {}
        }
        dues
    }

    /// As `schedule:list` shows it; `None` for the default.
    pub(super) fn show(self) -> Option<String> {
        match self {
            Self::Skip => None,
            Self::Once => Some("missed: once".to_owned()),
            Self::Each { at_most } => Some(format!("missed: each, {at_most} at most")),
        }
    }
}
