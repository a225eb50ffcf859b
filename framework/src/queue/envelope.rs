use std::{borrow::Cow, sync::Arc, time::Duration};

use bytes::Bytes;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{Backoff, Job, Message, Push};
use crate::{
    crypt::Crypter,
    support::{BoxError, Timestamp, WireFormat, wire_format},
};

/// How what follows is laid out.
const LAYOUT: u8 = 1;

/// Fields that only this application can read.
const ENCRYPTED: u8 = 1 << 7;

/// What a worker has to know of a job before it reads it.
///
/// A payload is the layout's number, flags (JSON, compressed, encrypted), the header's length in four bytes, the header as MessagePack, and
/// the job's fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header<'a> {
    #[serde(borrow)]
    pub(super) kind: Cow<'a, str>,
    pub(super) version: u16,
    pub(super) tries: u32,
    pub(super) backoff: Backoff,
    pub(super) timeout: Duration,
    pub(super) retry_for: Option<Duration>,
    /// When it was dispatched, in milliseconds since 1970.
    pub(super) at: i64,
    pub(super) trace: Option<Cow<'a, str>>,
    /// What follows it.
    pub(super) next: Option<Push>,
    /// Whether a signal gave rise to it, so that it raises none.
    #[serde(default)]
    pub(super) carried: bool,
}

/// A job's fields, as they were stored.
#[derive(Debug, Clone)]
pub struct Body<'a> {
    /// In which form.
    pub(super) version: u16,
    flags: u8,
    bytes: Cow<'a, [u8]>,
}

/// A payload, taken apart.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    pub(super) header: Header<'a>,
    pub(super) body: Body<'a>,
}

/// How jobs are written.
#[derive(Clone)]
pub(super) struct Codec {
    pub(super) format: WireFormat,
    pub(super) crypter: Option<Arc<Crypter>>,
}

impl Codec {
    /// The payload of a job.
    pub(super) fn seal(&self, job: &impl Serialize, header: &Header<'_>, encrypted: bool) -> Result<Bytes, BoxError> {
        let (flags, fields) = self.format.write(job)?;
        let head = rmp_serde::to_vec(header)?;
        if !encrypted {
            return put_together(flags, &head, &fields);
        }
        let sealed = self.crypter(&header.kind)?.encrypt(&fields)?;
        put_together(flags | ENCRYPTED, &head, &sealed)
    }

    /// The payload with other fields, in the present form.
    pub(super) fn reseal<J: Job>(&self, payload: &[u8], job: &J) -> Result<Bytes, BoxError> {
        let Envelope { header, .. } = open(payload)?;
        self.seal(job, &Header { version: J::VERSION, ..header }, J::ENCRYPTED)
    }

    /// The fields, of which nothing is encrypted any more.
    pub(super) fn decrypt<'a>(&self, body: Body<'a>, kind: &str) -> Result<Body<'a>, BoxError> {
        if !body.is_encrypted() {
            return Ok(body);
        }
        let bytes = self.crypter(kind)?.decrypt(&body.bytes)?;
        Ok(Body { version: body.version, flags: body.flags & !ENCRYPTED, bytes: bytes.into() })
    }

    /// One job's fields are of no use as another's.
    fn crypter(&self, kind: &str) -> Result<Crypter, BoxError> {
        let crypter = self.crypter.as_ref().ok_or("it is encrypted, and this queue has no key")?;
        Ok(crypter.for_purpose(&format!("queue.{kind}")))
    }
}

fn put_together(flags: u8, header: &[u8], fields: &[u8]) -> Result<Bytes, BoxError> {
    let length = u32::try_from(header.len()).map_err(|_| "what follows it is too much")?;
    let mut payload = Vec::with_capacity(6 + header.len() + fields.len());
    payload.extend([LAYOUT, flags]);
    payload.extend(length.to_be_bytes());
    payload.extend(header);
    payload.extend(fields);
    Ok(payload.into())
}

/// Takes a payload apart; the job itself is read by whoever runs it.
pub(super) fn open(payload: &[u8]) -> Result<Envelope<'_>, BoxError> {
    let (&[layout, flags, a, b, c, d], rest) = payload.split_first_chunk().ok_or("it is cut short")?;
    if layout != LAYOUT {
        return Err(format!("it is laid out as number {layout}, and this build reads {LAYOUT}").into());
    }
    let length = usize::try_from(u32::from_be_bytes([a, b, c, d]))?;
    let (header, bytes) = rest.split_at_checked(length).ok_or("it is cut short")?;
    let header: Header<'_> = rmp_serde::from_slice(header)?;
    let version = header.version;
    Ok(Envelope { header, body: Body { version, flags, bytes: bytes.into() } })
}

impl Header<'_> {
    /// Whether the message is not to be tried any more at that moment.
    pub(super) fn is_over(&self, message: &Message, now: impl FnOnce() -> Timestamp) -> bool {
        let Some(lasts) = self.retry_for else { return false };
        let began = message.due.map_or(self.at, |due| due.utc().timestamp_millis());
        let over = began.saturating_add_unsigned(u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX));
        over <= now().utc().timestamp_millis()
    }
}

impl Body<'_> {
    /// Whether only this application can read it.
    pub(super) fn is_encrypted(&self) -> bool {
        self.flags & ENCRYPTED != 0
    }

    /// The fields as a type.
    pub(crate) fn read<T: DeserializeOwned>(self) -> Result<T, BoxError> {
        Ok(wire_format::read(self.flags & !ENCRYPTED, &self.bytes)?)
    }
}
