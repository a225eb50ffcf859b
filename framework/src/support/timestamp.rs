use std::{fmt, str::FromStr, time::Duration};

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// A moment in UTC, to the microsecond: the finest that all three databases keep, so a value read
/// back equals the one that was written.
///
/// Shown and serialized as RFC 3339, for example `2026-01-31T09:30:00.000000Z`.
///
/// ```
/// use paravel::support::Timestamp;
///
/// let moment: Timestamp = "2026-01-31T09:30:00Z".parse()?;
/// assert_eq!(moment.to_string(), "2026-01-31T09:30:00.000000Z");
/// let hour = std::time::Duration::from_secs(3600);
/// assert_eq!(moment.plus(hour).minus(hour), moment);
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Deserialize,
    diesel::expression::AsExpression,
    diesel::deserialize::FromSqlRow,
)]
#[diesel(sql_type = diesel::sql_types::Timestamp)]
#[serde(from = "DateTime<Utc>")]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    /// The machine's present time. Services take a [`Clock`](super::Clock) instead.
    pub fn now() -> Self {
        Utc::now().into()
    }

    /// The moment `seconds` after 1970-01-01T00:00:00Z; the epoch itself where that is out of range.
    pub fn from_unix(seconds: i64) -> Self {
        DateTime::from_timestamp(seconds, 0).unwrap_or(DateTime::UNIX_EPOCH).into()
    }

    /// This moment and `by` after it; the last representable moment where that overflows.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        let moment = TimeDelta::from_std(by)
            .ok()
            .and_then(|delta| self.0.checked_add_signed(delta))
            .unwrap_or(DateTime::<Utc>::MAX_UTC);
        moment.into()
    }

    /// The moment `by` before this one; the first representable moment where that overflows.
    #[must_use]
    pub fn minus(self, by: Duration) -> Self {
        let moment = TimeDelta::from_std(by)
            .ok()
            .and_then(|delta| self.0.checked_sub_signed(delta))
            .unwrap_or(DateTime::<Utc>::MIN_UTC);
        moment.into()
    }

    /// The chrono value.
    pub fn utc(self) -> DateTime<Utc> {
        self.0
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(moment: DateTime<Utc>) -> Self {
        let micros = moment.timestamp_micros();
        Self(DateTime::from_timestamp_micros(micros).unwrap_or(moment))
    }
}

impl FromStr for Timestamp {
    type Err = chrono::ParseError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        DateTime::parse_from_rfc3339(text).map(|moment| moment.with_timezone(&Utc).into())
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Micros, true))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
