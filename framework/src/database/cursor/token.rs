use std::{fmt, str::FromStr};

use base64ct::{Base64UrlUnpadded, Encoding};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::Value;

use super::{CursorError, CursorValue};

/// Stands before what a cursor carries, so that another release may write it in another way.
const VERSION: u8 = 1;

/// Longer than any that is made: an address has no room for more.
const LONGEST: usize = 8192;

/// Where a list goes on: the position of a row in an order, as clients send it back. To them it is a word without meaning.
///
/// It carries the value that the list is sorted by and the row's key. Neither is secret, and neither is believed: what
/// reads it checks the types, and a forged one leads to another row of the same list, no further.
///
/// ```
/// use paravel::database::{Cursor, CursorError};
///
/// assert_eq!("page two, please".parse::<Cursor>(), Err(CursorError::Malformed));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Cursor {
    order: String,
    forward: bool,
    position: Value,
}

impl Cursor {
    pub(super) fn new(order: &str, forward: bool, position: &impl CursorValue) -> Self {
        Self { order: order.to_owned(), forward, position: position.to_json() }
    }

    /// Whether it leads to the rows after the position, and the position itself.
    pub(super) fn read<V: CursorValue>(&self, order: &str) -> Result<(bool, V), CursorError> {
        if self.order != order {
            return Err(CursorError::Order { found: self.order.clone(), expected: order.to_owned() });
        }
        let position = V::from_json(&self.position).ok_or(CursorError::Malformed)?;
        Ok((self.forward, position))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_vec(&(&self.order, self.forward, &self.position)).map_err(|_| fmt::Error)?;
        let mut bytes = vec![VERSION];
        bytes.extend(json);
        f.write_str(&Base64UrlUnpadded::encode_string(&bytes))
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        if text.len() > LONGEST {
            return Err(CursorError::Malformed);
        }
        let bytes = Base64UrlUnpadded::decode_vec(text).map_err(|_| CursorError::Malformed)?;
        match bytes.split_first() {
            Some((&VERSION, json)) => {
                let read = serde_json::from_slice(json).map_err(|_| CursorError::Malformed)?;
                let (order, forward, position) = read;
                Ok(Self { order, forward, position })
            }
            Some((&found, _)) => Err(CursorError::Version { found, expected: VERSION }),
            None => Err(CursorError::Malformed),
        }
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}
