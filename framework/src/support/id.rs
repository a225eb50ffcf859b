use std::{
    borrow::Cow,
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    marker::PhantomData,
    str::FromStr,
    time::Duration,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::{Uuid, fmt::Hyphenated};

use super::Timestamp;

/// A UUID v7 key that knows what it is the key of, so that a role's id cannot be passed for a user's.
///
/// Made by the application, not by the database: it sorts by time, and it is known before the insert.
///
/// ```
/// use paravel::support::Id;
///
/// struct User;
/// type UserId = Id<User>;
///
/// let id = UserId::new();
/// assert_eq!(id.to_string().parse::<UserId>()?, id);
/// # Ok::<(), paravel::support::IdError>(())
/// ```
#[cfg_attr(
    any(feature = "sqlite", feature = "postgres", feature = "mysql"),
    derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)
)]
#[cfg_attr(any(feature = "sqlite", feature = "mysql"), diesel(sql_type = diesel::sql_types::Binary))]
#[cfg_attr(feature = "postgres", diesel(sql_type = diesel::sql_types::Uuid))]
pub struct Id<T>(Uuid, PhantomData<fn() -> T>);

/// A text that is no [`Id`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an id is a UUID in small letters with its hyphens, such as 01890000-0000-7000-8000-000000000000")]
pub struct IdError;

impl<T> Id<T> {
    /// A new id of the present moment.
    #[expect(clippy::new_without_default, reason = "a default id that differs each time would surprise")]
    pub fn new() -> Self {
        Self::from_uuid(Uuid::now_v7())
    }

    /// The id with this value.
    pub const fn from_uuid(uuid: Uuid) -> Self {
        Self(uuid, PhantomData)
    }

    /// The value.
    pub const fn uuid(self) -> Uuid {
        self.0
    }

    /// When it was made, to the millisecond; 1970 for a UUID that does not say.
    pub fn made_at(self) -> Timestamp {
        let (seconds, nanoseconds) = self.0.get_timestamp().map_or((0, 0), |made| made.to_unix());
        let seconds = i64::try_from(seconds).unwrap_or_default();
        Timestamp::from_unix(seconds).plus(Duration::from_nanos(nanoseconds.into()))
    }
}

// Written out because a derive would ask the same of `T`, which is only a label.
impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Id<T> {}

impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T> Eq for Id<T> {}

impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<T> fmt::Display for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<T> FromStr for Id<T> {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        // The parser takes other forms and capitals, too; but one thing has one address.
        let is_canonical = |uuid: &Uuid| *text == *uuid.hyphenated().encode_lower(&mut [0; Hyphenated::LENGTH]);
        let uuid = Uuid::parse_str(text).ok().filter(is_canonical);
        uuid.map(Self::from_uuid).ok_or(IdError)
    }
}

impl<T> Serialize for Id<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de, T> Deserialize<'de> for Id<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return Uuid::deserialize(deserializer).map(Self::from_uuid);
        }
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
