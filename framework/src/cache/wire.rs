use std::any::{TypeId, type_name};

use serde::{Serialize, de::DeserializeOwned};

use super::store::Version;
use crate::support::{WireFormat, wire_format};

/// Begins every value but a count, which is its decimal digits.
const MAGIC: u8 = 0xC4;

/// How what follows is laid out. One that another version wrote is a miss.
const LAYOUT: u8 = 1;

/// How values are written for a store outside this process:
///
/// | bytes | what |
/// |---|---|
/// | 1, 1, 1 | magic, layout, flags (JSON, compressed) |
/// | 4 | a hash of the type's name |
/// | 8, 8 | until when it is fresh, and true, in milliseconds since 1970; 0 for ever |
/// | 1 | how many tags |
/// | 1 + n + 16 each | the tag's length, the tag, its version |
/// | the rest | the value |
#[derive(Debug, Clone, Copy)]
pub(super) struct Wire(WireFormat);

/// When what is kept ends, in milliseconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) fresh: Option<u64>,
    pub(super) whole: Option<u64>,
}

/// A value's bytes, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stored<'a> {
    pub(super) ends: Ends,
    pub(super) tags: Vec<(&'a str, Version)>,
    kind: Kind,
    // Where the value begins.
    head: usize,
    payload: &'a [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Count,
    Value { hash: u32, flags: u8 },
}

impl Wire {
    pub(super) fn new(format: WireFormat) -> Self {
        Self(format)
    }

    pub(super) fn format(self) -> &'static str {
        self.0.name()
    }

    /// The bytes of a value; an error that says what of it cannot be written.
    pub(super) fn write<T: Serialize + 'static>(
        self,
        value: &T,
        tags: &[(&str, Version)],
        ends: Ends,
    ) -> Result<Vec<u8>, String> {
        if TypeId::of::<T>() == TypeId::of::<i64>() && tags.is_empty() && ends.fresh.is_none() {
            return serde_json::to_vec(value).map_err(|error| error.to_string());
        }
        let (flags, payload) = self.0.write(value)?;
        let mut bytes = vec![MAGIC, LAYOUT, flags];
        bytes.extend(hash::<T>().to_be_bytes());
        bytes.extend(ends.fresh.unwrap_or(0).to_be_bytes());
        bytes.extend(ends.whole.unwrap_or(0).to_be_bytes());
        bytes.push(u8::try_from(tags.len()).map_err(|_| "it has more than 255 tags".to_owned())?);
        for (tag, version) in tags {
            bytes.push(u8::try_from(tag.len()).map_err(|_| "one of its tags is too long".to_owned())?);
            bytes.extend(tag.as_bytes());
            bytes.extend(version);
        }
        bytes.extend(payload);
        Ok(bytes)
    }
}

impl<'a> Stored<'a> {
    /// Takes bytes apart; `None` where they are not what [`Wire::write`] makes.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        if bytes.first().is_some_and(|first| first.is_ascii_digit() || *first == b'-') {
            return Some(Self { ends: Ends::default(), tags: Vec::new(), kind: Kind::Count, head: 0, payload: bytes });
        }
        let mut rest = bytes;
        let [MAGIC, LAYOUT, flags] = *take::<3>(&mut rest)? else { return None };
        let hash = u32::from_be_bytes(*take(&mut rest)?);
        let fresh = u64::from_be_bytes(*take(&mut rest)?);
        let whole = u64::from_be_bytes(*take(&mut rest)?);
        let [count] = *take(&mut rest)?;
        let mut tags = Vec::with_capacity(usize::from(count));
        for _ in 0..count {
            let [length] = *take(&mut rest)?;
            let (tag, after) = rest.split_at_checked(usize::from(length))?;
            rest = after;
            tags.push((std::str::from_utf8(tag).ok()?, *take(&mut rest)?));
        }
        let some = |moment: u64| (moment > 0).then_some(moment);
        Some(Self {
            ends: Ends { fresh: some(fresh), whole: some(whole) },
            tags,
            kind: Kind::Value { hash, flags },
            head: bytes.len() - rest.len(),
            payload: rest,
        })
    }

    /// Whether it is a count, which others add to.
    pub(super) fn is_count(&self) -> bool {
        self.kind == Kind::Count
    }

    /// The value, where it is of this type; else why it is not.
    pub(super) fn value<T: DeserializeOwned + 'static>(&self) -> Result<T, String> {
        match self.kind {
            Kind::Count if TypeId::of::<T>() == TypeId::of::<i64>() => {
                serde_json::from_slice(self.payload).map_err(|error| error.to_string())
            }
            Kind::Value { hash: found, flags } if found == hash::<T>() => wire_format::read(flags, self.payload),
            _ => Err("it is of another type".to_owned()),
        }
    }

    /// The same bytes with another end.
    pub(super) fn ending(&self, bytes: &[u8], ends: Ends) -> Vec<u8> {
        let mut changed = bytes.to_vec();
        if self.head > 0 {
            changed[7..15].copy_from_slice(&ends.fresh.unwrap_or(0).to_be_bytes());
            changed[15..23].copy_from_slice(&ends.whole.unwrap_or(0).to_be_bytes());
        }
        changed
    }
}

fn take<'a, const N: usize>(bytes: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(taken)
}

/// FNV-1a of the type's name: enough to tell apart what was put under one key by mistake.
fn hash<T>() -> u32 {
    type_name::<T>().bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDS: Ends = Ends { fresh: Some(5), whole: Some(9) };

    fn forms() -> [Wire; 2] {
        [Wire::new(WireFormat::MessagePack), Wire::new(WireFormat::Json)]
    }

    #[test]
    fn what_is_written_is_read_as_the_same_type_and_no_other() {
        for wire in forms() {
            let value = vec![("a".to_owned(), Some(1_u8)), ("b".to_owned(), None)];
            let bytes = wire.write(&value, &[("ships", [7; 16]), ("ä", [8; 16])], ENDS).unwrap();
            let stored = Stored::read(&bytes).unwrap();
            assert_eq!((stored.ends, &stored.tags[..]), (ENDS, &[("ships", [7; 16]), ("ä", [8; 16])][..]));
            assert_eq!(stored.value::<Vec<(String, Option<u8>)>>(), Ok(value));
            assert!(stored.value::<Vec<(String, Option<u16>)>>().is_err());
            let later = Ends { fresh: None, whole: Some(77) };
            let changed = stored.ending(&bytes, later);
            let changed = Stored::read(&changed).unwrap();
            assert_eq!((changed.ends, &changed.tags, changed.payload), (later, &stored.tags, stored.payload));
        }
    }

    #[test]
    fn counts_are_their_digits() {
        for number in [0, 7, -7, i64::MIN, i64::MAX] {
            let bytes = forms()[0].write(&number, &[], Ends { fresh: None, whole: Some(9) }).unwrap();
            assert_eq!(bytes, number.to_string().into_bytes());
            let stored = Stored::read(&bytes).unwrap();
            assert!(stored.is_count());
            assert_eq!((stored.value::<i64>(), stored.value::<u8>().is_err()), (Ok(number), true));
        }
        let tagged = forms()[0].write(&7_i64, &[("a", [0; 16])], Ends::default()).unwrap();
        assert!(!Stored::read(&tagged).unwrap().is_count());
    }

    #[test]
    fn whatever_the_bytes_are_nothing_panics() {
        let long = "to and fro ".repeat(200);
        let bytes = forms()[0].write(&long, &[("ships", [7; 16])], ENDS).unwrap();
        for end in 0..bytes.len() {
            if let Some(stored) = Stored::read(&bytes[..end]) {
                assert!(stored.value::<String>().is_err(), "{end}");
            }
        }
        for index in 0..bytes.len() {
            for wrong in [0, 0x7f, 0xff, bytes[index] ^ 1] {
                let mut bytes = bytes.clone();
                bytes[index] = wrong;
                if let Some(stored) = Stored::read(&bytes) {
                    let _ = stored.value::<String>();
                }
            }
        }
        assert!(Stored::read(b"").is_none() && Stored::read(b"other").is_none());
        assert!(Stored::read(b"12x").unwrap().value::<i64>().is_err());
    }
}
