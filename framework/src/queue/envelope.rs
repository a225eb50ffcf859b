use std::{borrow::Cow, time::Duration};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Backoff, Job};
use crate::{
    config::QueueFormat,
    support::{BoxError, Timestamp, expand, shrink},
};

/// How what follows is laid out.
const LAYOUT: u8 = 1;

const JSON: u8 = 1;
const COMPRESSED: u8 = 2;

/// What a worker has to know of a job before it reads it.
///
/// A payload is the layout's number, flags (JSON, compressed), the header's length in two bytes, the header as MessagePack, and
/// the job's fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header<'a> {
    pub(super) kind: Cow<'a, str>,
    pub(super) version: u16,
    pub(super) tries: u32,
    pub(super) backoff: Backoff,
    pub(super) timeout: Duration,
    /// In milliseconds since 1970.
    pub(super) until: Option<i64>,
    pub(super) trace: Option<Cow<'a, str>>,
}

/// A job's fields, as they were stored.
#[derive(Debug, Clone, Copy)]
pub struct Body<'a> {
    /// In which form.
    pub(super) version: u16,
    flags: u8,
    bytes: &'a [u8],
}

/// A payload, taken apart.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    pub(super) header: Header<'a>,
    pub(super) body: Body<'a>,
}

/// The payload of a job.
pub(super) fn seal<J: Job>(job: &J, header: &Header<'_>, format: QueueFormat) -> Result<Vec<u8>, BoxError> {
    let (mut flags, fields) = match format {
        QueueFormat::MessagePack => (0, rmp_serde::to_vec_named(job)?),
        QueueFormat::Json => (JSON, serde_json::to_vec(job)?),
    };
    let fields = match shrink(&fields) {
        Some(shrunk) => {
            flags |= COMPRESSED;
            shrunk
        }
        None => fields,
    };
    let header = rmp_serde::to_vec(header)?;
    let length = u16::try_from(header.len()).map_err(|_| "its kind is too long a name")?;
    let mut payload = Vec::with_capacity(4 + header.len() + fields.len());
    payload.extend([LAYOUT, flags]);
    payload.extend(length.to_be_bytes());
    payload.extend(header);
    payload.extend(fields);
    Ok(payload)
}

/// Takes a payload apart; the job itself is read by whoever runs it.
pub(super) fn open(payload: &[u8]) -> Result<Envelope<'_>, BoxError> {
    let (&[layout, flags, high, low], rest) = payload.split_first_chunk().ok_or("it is cut short")?;
    if layout != LAYOUT {
        return Err(format!("it is laid out as number {layout}, and this build reads {LAYOUT}").into());
    }
    let length = usize::from(u16::from_be_bytes([high, low]));
    let (header, bytes) = rest.split_at_checked(length).ok_or("it is cut short")?;
    let header: Header<'_> = rmp_serde::from_slice(header)?;
    let version = header.version;
    Ok(Envelope { header, body: Body { version, flags, bytes } })
}

impl Header<'_> {
    /// Whether it is not to be tried any more at that moment.
    pub(super) fn is_over(&self, now: Timestamp) -> bool {
        self.until.is_some_and(|until| until <= now.utc().timestamp_millis())
    }
}

impl Body<'_> {
    /// The fields as a type.
    pub(super) fn read<T: DeserializeOwned>(self) -> Result<T, BoxError> {
        let bytes = match self.flags & COMPRESSED {
            0 => Cow::Borrowed(self.bytes),
            _ => Cow::Owned(expand(self.bytes)?),
        };
        match self.flags & JSON {
            0 => Ok(rmp_serde::from_slice(&bytes)?),
            _ => Ok(serde_json::from_slice(&bytes)?),
        }
    }
}
