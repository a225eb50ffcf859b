use std::borrow::Cow;

use serde::{Serialize, de::DeserializeOwned};

use super::EnvValue;

/// How values are written that another process reads: what is cached, and jobs. What is long is compressed where that makes it
/// shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum WireFormat {
    /// MessagePack, with the fields' names: shorter, and faster to read.
    #[serde(rename = "msgpack")]
    MessagePack,
    /// JSON, which people can read.
    #[serde(rename = "json")]
    Json,
}

/// What of the format a reader has to be told, in one byte.
const JSON: u8 = 1;
const COMPRESSED: u8 = 2;

/// Below it, what compression saves is not worth the time.
const WORTH_COMPRESSING: usize = 1024;

/// LZ4 makes no more than this of a byte, so that a length beyond it is a lie.
const MOST_EXPANDED: usize = 255;

impl EnvValue for WireFormat {
    const EXPECTED: &'static str = "msgpack or json";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "msgpack" => Some(Self::MessagePack),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    fn show(&self) -> String {
        match self {
            Self::MessagePack => "msgpack".to_owned(),
            Self::Json => "json".to_owned(),
        }
    }
}

impl WireFormat {
    /// Its name, for people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::MessagePack => "MessagePack",
            Self::Json => "JSON",
        }
    }

    /// A value's bytes, and the flags that [`read`] needs; else what of it cannot be written.
    pub(crate) fn write(self, value: &impl Serialize) -> Result<(u8, Vec<u8>), String> {
        let (flags, bytes) = match self {
            Self::MessagePack => (0, rmp_serde::to_vec_named(value).map_err(|error| error.to_string())?),
            Self::Json => (JSON, serde_json::to_vec(value).map_err(|error| error.to_string())?),
        };
        if bytes.len() > WORTH_COMPRESSING {
            let shrunk = lz4_flex::compress_prepend_size(&bytes);
            if shrunk.len() < bytes.len() {
                return Ok((flags | COMPRESSED, shrunk));
            }
        }
        Ok((flags, bytes))
    }
}

/// The value that [`WireFormat::write`] made these flags and bytes of; else why it cannot have been one of this type.
pub(crate) fn read<T: DeserializeOwned>(flags: u8, bytes: &[u8]) -> Result<T, String> {
    if flags & !(JSON | COMPRESSED) != 0 {
        return Err(format!("it is written in a way ({flags:#b}) that this build does not know"));
    }
    let bytes = match flags & COMPRESSED {
        0 => Cow::Borrowed(bytes),
        _ => Cow::Owned(expand(bytes)?),
    };
    match flags & JSON {
        0 => rmp_serde::from_slice(&bytes).map_err(|error| error.to_string()),
        _ => serde_json::from_slice(&bytes).map_err(|error| error.to_string()),
    }
}

fn expand(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let length = bytes.first_chunk().map_or(usize::MAX, |length| u32::from_le_bytes(*length) as usize);
    if length > bytes.len().saturating_mul(MOST_EXPANDED) {
        return Err("its length is not that of what was compressed".to_owned());
    }
    lz4_flex::decompress_size_prepended(bytes).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOTH: [WireFormat; 2] = [WireFormat::MessagePack, WireFormat::Json];

    #[test]
    fn what_is_long_and_repeats_itself_is_compressed() {
        for format in BOTH {
            let long = "to and fro ".repeat(200);
            let (flags, bytes) = format.write(&long).unwrap();
            assert!(flags & COMPRESSED != 0 && bytes.len() < long.len() / 2, "{}", bytes.len());
            assert_eq!(read::<String>(flags, &bytes), Ok(long));
            let short = "to and fro ".repeat(20);
            let (flags, bytes) = format.write(&short).unwrap();
            assert_eq!((flags & COMPRESSED, read::<String>(flags, &bytes)), (0, Ok(short)));
            // Nothing is gained by what has no order in it.
            let mut number = 1_u64;
            let noise = std::iter::repeat_with(|| {
                number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                number
            });
            let noise: Vec<u64> = noise.take(500).collect();
            let (flags, bytes) = format.write(&noise).unwrap();
            assert_eq!(flags & COMPRESSED != 0, format == WireFormat::Json, "digits have some");
            assert_eq!(read::<Vec<u64>>(flags, &bytes), Ok(noise));
        }
    }

    #[test]
    fn whatever_the_bytes_are_nothing_panics() {
        let (flags, bytes) = WireFormat::MessagePack.write(&"to and fro ".repeat(200)).unwrap();
        for end in 0..bytes.len() {
            assert!(read::<String>(flags, &bytes[..end]).is_err(), "{end}");
        }
        for length in [u32::MAX, u32::MAX / 2, 0] {
            let mut bytes = bytes.clone();
            bytes[..4].copy_from_slice(&length.to_le_bytes());
            assert!(read::<String>(flags, &bytes).is_err(), "{length}");
        }
    }
}
