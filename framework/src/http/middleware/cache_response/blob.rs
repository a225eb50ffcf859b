use std::fmt;

use base64ct::{Base64, Encoding};
use bytes::Bytes;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, Visitor},
};

/// Bytes that a cache keeps. They are written as bytes where the format has such, and as base64 where it is text; by itself
/// serde would write a list of numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Blob(pub(super) Bytes);

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&Base64::encode_string(&self.0))
        } else {
            serializer.serialize_bytes(&self.0)
        }
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            deserializer.deserialize_str(Read)
        } else {
            deserializer.deserialize_byte_buf(Read)
        }
    }
}

struct Read;

impl Visitor<'_> for Read {
    type Value = Blob;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("bytes, or base64")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Blob, E> {
        Base64::decode_vec(text).map(|bytes| Blob(bytes.into())).map_err(E::custom)
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Blob, E> {
        Ok(Blob(Bytes::copy_from_slice(bytes)))
    }

    fn visit_byte_buf<E: Error>(self, bytes: Vec<u8>) -> Result<Blob, E> {
        Ok(Blob(bytes.into()))
    }
}

#[cfg(test)]
mod tests {
    use serde::de::value::{BytesDeserializer, Error};

    use super::*;

    #[test]
    fn text_has_base64_and_other_formats_have_bytes() {
        let blob = Blob(Bytes::from_static(&[0, 159, 146, 150, b'"']));
        let json = serde_json::to_string(&blob).unwrap();
        assert_eq!(json, "\"AJ+SliI=\"");
        assert_eq!(serde_json::from_str::<Blob>(&json).unwrap(), blob);
        assert!(serde_json::from_str::<Blob>("\"not base64\"").is_err());
        assert_eq!(Read.visit_bytes::<Error>(&blob.0).unwrap(), blob);
        // What is text to serde, such as this one, is asked for text.
        assert_eq!(Blob::deserialize(BytesDeserializer::<Error>::new(&blob.0)).unwrap(), blob);
    }
}
