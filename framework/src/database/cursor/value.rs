use serde_json::Value;
use uuid::{Uuid, fmt::Simple};

use crate::support::{Id, Timestamp};

/// What a list can be gone on with from: a key, or a value that the list is sorted by.
///
/// Only what has one place in an order can be: nothing that may be `NULL`, and no floating-point number.
///
/// ```compile_fail
/// use paravel::database::{CursorError, CursorRequest, Seek, SortOrder};
///
/// let first = CursorRequest::new(None, 20)?;
/// let seek: Seek<(Option<String>, i64)> = Seek::new(&first, "name", SortOrder::Ascending)?;
/// # Ok::<(), CursorError>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "a list cannot be gone on with from a `{Self}`",
    note = "a column that may be NULL, or has floating-point numbers, has no certain order: sort by another one"
)]
pub trait CursorValue: Clone + Send {
    /// The value as a [`Cursor`](super::Cursor) carries it.
    fn to_json(&self) -> Value;

    /// The value that a cursor carried, which may be anything; `None` where no column of any backend could hold it.
    fn from_json(value: &Value) -> Option<Self>;
}

impl<T> CursorValue for Id<T> {
    fn to_json(&self) -> Value {
        Value::String(self.uuid().simple().to_string())
    }

    fn from_json(value: &Value) -> Option<Self> {
        // The one form that it is written in.
        let text = value.as_str().filter(|text| text.len() == Simple::LENGTH)?;
        Uuid::try_parse(text).ok().map(Self::from_uuid)
    }
}

impl CursorValue for Timestamp {
    fn to_json(&self) -> Value {
        self.utc().timestamp_micros().into()
    }

    fn from_json(value: &Value) -> Option<Self> {
        use chrono::{DateTime, Datelike};
        let moment = DateTime::from_timestamp_micros(value.as_i64()?)?;
        // MySQL has no years beyond these, and SQLite's text does not sort by time there.
        (1..=9999).contains(&moment.year()).then(|| moment.into())
    }
}

impl CursorValue for String {
    fn to_json(&self) -> Value {
        Value::String(self.clone())
    }

    fn from_json(value: &Value) -> Option<Self> {
        // A database's text has no zero bytes, and PostgreSQL refuses to look for one.
        let text = value.as_str()?;
        (!text.contains('\0')).then(|| text.to_owned())
    }
}

impl CursorValue for bool {
    fn to_json(&self) -> Value {
        (*self).into()
    }

    fn from_json(value: &Value) -> Option<Self> {
        value.as_bool()
    }
}

macro_rules! whole_numbers {
    ($($number:ty),*) => {
        $(impl CursorValue for $number {
            fn to_json(&self) -> Value {
                (*self).into()
            }

            fn from_json(value: &Value) -> Option<Self> {
                value.as_i64()?.try_into().ok()
            }
        })*
    };
}

whole_numbers!(i16, i32, i64);

/// A value that the list is sorted by, and the key, which tells apart rows where that is equal.
impl<A: CursorValue, B: CursorValue> CursorValue for (A, B) {
    fn to_json(&self) -> Value {
        Value::Array(vec![self.0.to_json(), self.1.to_json()])
    }

    fn from_json(value: &Value) -> Option<Self> {
        match value.as_array()?.as_slice() {
            [a, b] => Some((A::from_json(a)?, B::from_json(b)?)),
            _ => None,
        }
    }
}
