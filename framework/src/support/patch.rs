use garde::rules::inner::Inner;
use serde::{Deserialize, Deserializer};

/// A field of a `PATCH` body, in which being absent differs from being null: `Patch<String>` is absent or a string, and
/// `Patch<Option<String>>` absent, null or a string. The field needs `#[serde(default)]`.
///
/// ```
/// use paravel::support::Patch;
///
/// #[derive(serde::Deserialize)]
/// struct Change {
///     #[serde(default)]
///     name: Patch<String>,
///     #[serde(default)]
///     motto: Patch<Option<String>>,
/// }
///
/// let change: Change = serde_json::from_str(r#"{"motto": null}"#)?;
/// assert_eq!((change.name, change.motto), (Patch::Absent, Patch::Value(None)));
/// assert!(serde_json::from_str::<Change>(r#"{"name": null}"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Patch<T> {
    /// Leave the field as it is.
    #[default]
    Absent,
    /// Set it to this.
    Value(T),
}

impl<T> Patch<T> {
    /// The same with the value, where there is one, made into something else.
    pub fn map<U>(self, map: impl FnOnce(T) -> U) -> Patch<U> {
        match self {
            Self::Absent => Patch::Absent,
            Self::Value(value) => Patch::Value(map(value)),
        }
    }

    /// The value, where there is one.
    pub fn value(self) -> Option<T> {
        match self {
            Self::Absent => None,
            Self::Value(value) => Some(value),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Patch<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::deserialize(deserializer).map(Self::Value)
    }
}

/// `#[garde(inner(..))]` checks the value, where there is one.
impl<T> Inner<T> for Patch<T> {
    type Key = garde::error::NoKey;

    fn validate_inner<F>(&self, mut check: F)
    where
        F: FnMut(&T, &Self::Key),
    {
        if let Self::Value(value) = self {
            check(value, &garde::error::NoKey::default());
        }
    }
}
