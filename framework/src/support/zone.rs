use std::{fmt, str::FromStr};

use chrono_tz::{TZ_VARIANTS, Tz};
use serde::Serialize;

use super::{EnvValue, Timestamp, nearest};

/// A time zone by its name in the IANA database, which is built in: `Europe/Vienna`, `UTC`.
///
/// ```
/// use paravel::support::Zone;
///
/// let vienna: Zone = "Europe/Vienna".parse()?;
/// assert_eq!(vienna.to_string(), "Europe/Vienna");
/// for slip in ["Vienna", "europe/vienna", "Europe/Viena"] {
///     assert_eq!(slip.parse::<Zone>().unwrap_err().nearest, Some("Europe/Vienna"));
/// }
/// # Ok::<(), paravel::support::UnknownZone>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Zone(Tz);

/// There is no time zone of that name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is no time zone{}: write one such as Europe/Vienna or UTC", nearest.map(|near| format!("; did you mean {near}?")).unwrap_or_default())]
#[non_exhaustive]
pub struct UnknownZone {
    /// The name.
    pub name: String,
    /// The zone that was meant, perhaps.
    pub nearest: Option<&'static str>,
}

impl Zone {
    /// Coordinated universal time, which knows no daylight saving.
    pub const UTC: Self = Self(Tz::UTC);

    /// The moment as the clocks of this zone show it.
    pub(crate) fn local(self, moment: Timestamp) -> chrono::DateTime<Tz> {
        moment.utc().with_timezone(&self.0)
    }

    pub(crate) fn tz(self) -> Tz {
        self.0
    }
}

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        let unknown = |_| UnknownZone { name: name.to_owned(), nearest: meant(name) };
        name.parse().map(Self).map_err(unknown)
    }
}

/// The zone that somebody meant who wrote a city alone, or wrote it in other letters.
fn meant(name: &str) -> Option<&'static str> {
    let names = || TZ_VARIANTS.iter().map(|zone| zone.name());
    let city = |zone: &&str| zone.rsplit('/').next().is_some_and(|city| city.eq_ignore_ascii_case(name));
    let same = names().find(|zone| zone.eq_ignore_ascii_case(name));
    same.or_else(|| names().find(city)).or_else(|| nearest(name, names()))
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

impl Serialize for Zone {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name())
    }
}

impl EnvValue for Zone {
    const EXPECTED: &'static str = "a time zone such as Europe/Vienna or UTC";

    fn parse(text: &str) -> Option<Self> {
        text.parse().ok()
    }

    fn show(&self) -> String {
        self.to_string()
    }
}
