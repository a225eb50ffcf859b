use std::{fmt, marker::PhantomData};

use chrono::NaiveDateTime;
use diesel::sql_types::{self as sql, BigInt, Binary, Bool, Double, Float, Integer, Nullable, SmallInt, Text};
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

use uuid::Uuid;

use crate::support::{Id, Timestamp};

/// A field's type that can be read from what SQLite writes into JSON for a column of the SQL type `ST`.
///
/// A type of one's own does it by that of what it wraps:
///
/// ```
/// use paravel::{database::FromJson, diesel::sql_types::Text, serde::Deserializer};
///
/// struct Name(String);
///
/// impl FromJson<Text> for Name {
///     fn from_json<'de, D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
///         <String as FromJson<Text>>::from_json(json).map(Name)
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a nested field of the type `{Self}` cannot be read from a column of the type `{ST}`",
    note = "implement `FromJson<{ST}>` for it, or `FromJson` for the type inside the `Option`"
)]
pub trait FromJson<ST>: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// The deserializer's, where what stands there is not such a value.
    fn from_json<'de, D: Deserializer<'de>>(json: D) -> Result<Self, D::Error>;
}

macro_rules! as_serde_does {
    ($($value:ty: $sql:ty),* $(,)?) => {
        $(impl FromJson<$sql> for $value {
            fn from_json<'de, D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
                Self::deserialize(json)
            }
        })*
    };
}

as_serde_does!(i16: SmallInt, i32: Integer, i64: BigInt, f32: Float, f64: Double, String: Text);

/// SQLite has no booleans: 0 is false.
impl FromJson<Bool> for bool {
    fn from_json<'de, D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        i64::deserialize(json).map(|number| number != 0)
    }
}

impl<T> FromJson<Binary> for Id<T> {
    fn from_json<'de, D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_str(Parsed("the 16 bytes of an id", |text: &str| {
            // As `hex` writes them.
            Uuid::try_parse(text).ok().map(Self::from_uuid)
        }))
    }
}

impl FromJson<Binary> for Vec<u8> {
    fn from_json<'de, D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_str(Parsed("bytes", |text: &str| {
            let digits = text.as_bytes().chunks(2);
            digits.map(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok()).collect()
        }))
    }
}

impl FromJson<sql::Timestamp> for Timestamp {
    fn from_json<'de, D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        json.deserialize_str(Parsed("a timestamp", |text: &str| {
            let forms = ["%F %T%.f", "%FT%T%.f"];
            let naive = forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())?;
            Some(naive.and_utc().into())
        }))
    }
}

impl<F: FromJson<ST>, ST: diesel::sql_types::SqlType> FromJson<Nullable<ST>> for Option<F> {
    fn from_json<'de, D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        Ok(Option::<Field<F, ST>>::deserialize(json)?.map(|field| field.value))
    }
}

/// One value of a nested row, of a column of the type `ST`.
pub struct Field<F, ST> {
    pub(super) value: F,
    _sql: PhantomData<fn() -> ST>,
}

impl<'de, F: FromJson<ST>, ST> Deserialize<'de> for Field<F, ST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { value: F::from_json(deserializer)?, _sql: PhantomData })
    }
}

/// A value that is parsed from text, without a copy of that.
struct Parsed<P>(&'static str, P);

impl<V, P: Fn(&str) -> Option<V>> Visitor<'_> for Parsed<P> {
    type Value = V;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<V, E> {
        self.1(text).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(text), &self))
    }
}
