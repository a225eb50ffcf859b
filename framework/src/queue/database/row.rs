use std::borrow::Cow;

use bytes::Bytes;
use chrono::DateTime;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::super::{BatchId, JobId, Message, Priority, Settlement, Unique};
use crate::{
    database::{Row, Statement, Value},
    support::{BoxError, Timestamp},
};

/// What is stored of a message beside its queue, its priority and its payload.
#[derive(Serialize, Deserialize)]
struct About<'a> {
    id: JobId,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    /// In microseconds since 1970.
    due: Option<i64>,
    batch: Option<BatchId>,
    unique: Option<Cow<'a, Unique>>,
}

/// A message that has a place in a table.
pub(super) struct Stored {
    pub(super) seq: i64,
    pub(super) token: i64,
    pub(super) attempts: i64,
    pub(super) crashes: i64,
    pub(super) message: Result<Message, BoxError>,
}

pub(super) fn about(message: &Message) -> Result<Vec<u8>, BoxError> {
    let about = About {
        id: message.id,
        kind: Cow::Borrowed(&message.kind),
        due: message.due.map(micros),
        batch: message.batch,
        unique: message.unique.as_ref().map(Cow::Borrowed),
    };
    Ok(rmp_serde::to_vec(&about)?)
}

/// What keeps others from something until a message has ended: the batch that it is a member of, and the key that it has taken, with
/// its own. None for most.
pub(super) fn ties(message: &Message) -> Option<Vec<u8>> {
    if message.batch.is_none() && message.unique.is_none() {
        return None;
    }
    let batch = message.batch.map_or(Uuid::nil(), |batch| batch.uuid());
    let mut ties = batch.as_bytes().to_vec();
    if let Some(unique) = &message.unique {
        ties.extend(message.id.uuid().as_bytes());
        ties.extend(unique.key.as_bytes());
    }
    Some(ties)
}

/// The [`ties`] in a row's column.
pub(super) fn tied(row: &mut Row) -> (Option<BatchId>, Option<(Vec<u8>, Uuid)>) {
    let ties = bytes(row, "ties");
    let Some((batch, unique)) = ties.split_first_chunk() else { return (None, None) };
    let batch = Uuid::from_bytes(*batch);
    let key = unique.split_first_chunk().map(|(owner, key)| (key.to_vec(), Uuid::from_bytes(*owner)));
    ((!batch.is_nil()).then(|| BatchId::from_uuid(batch)), key)
}

pub(super) fn stored(mut row: Row) -> Stored {
    let (seq, token) = (row.integer("seq"), row.integer("token"));
    let (attempts, crashes) = (row.integer("attempts"), row.integer("crashes"));
    Stored { seq, token, attempts, crashes, message: message(&mut row) }
}

/// The message in a row's columns `queue`, `priority`, `about` and `payload`.
pub(super) fn message(row: &mut Row) -> Result<Message, BoxError> {
    let bytes = bytes(row, "about");
    let About { id, kind, due, batch, unique } = rmp_serde::from_slice(&bytes)?;
    let priority = usize::try_from(row.integer("priority")).ok().and_then(|place| Priority::ALL.get(place));
    Ok(Message {
        id,
        queue: String::from_utf8(self::bytes(row, "queue"))?,
        priority: *priority.ok_or("its priority is none that is known")?,
        due: due.map(moment),
        delay: None,
        unique: unique.map(Cow::into_owned),
        batch,
        kind: Cow::Owned(kind.into_owned()),
        payload: self::bytes(row, "payload").into(),
    })
}

/// A column's bytes, which go out of the row.
pub(super) fn bytes(row: &mut Row, column: &str) -> Vec<u8> {
    match row.take(column) {
        Value::Bytes(bytes) => bytes,
        // An empty value may come as text from where the two are not told apart.
        Value::Text(text) => text.into_bytes(),
        _ => Vec::new(),
    }
}

pub(super) fn uuid(row: &mut Row, column: &str) -> Uuid {
    Uuid::from_slice(&bytes(row, column)).unwrap_or_default()
}

pub(super) fn optional(row: &Row, column: &str) -> Option<i64> {
    match row.get(column) {
        Value::Integer(number) => Some(*number),
        _ => None,
    }
}

pub(super) fn micros(moment: Timestamp) -> i64 {
    moment.utc().timestamp_micros()
}

pub(super) fn moment(micros: i64) -> Timestamp {
    DateTime::from_timestamp_micros(micros).unwrap_or_default().into()
}

pub(super) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

pub(super) fn name(name: &str) -> Value {
    Value::Bytes(name.as_bytes().to_vec())
}

pub(super) fn key(uuid: Uuid) -> Value {
    Value::Bytes(uuid.as_bytes().to_vec())
}

/// Text for a column that people read. PostgreSQL keeps none with a U+0000.
pub(super) fn plain(text: &str) -> Value {
    Value::Text(text.replace('\0', "\u{fffd}"))
}

/// A statement, and the values of its placeholders.
pub(super) fn sql(sql: impl Into<String>, values: impl IntoIterator<Item = Value>) -> Statement {
    values.into_iter().fold(Statement::new(sql), Statement::bind)
}

pub(super) fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

/// Whole numbers for an `in ( )`: as they are, since nothing else can be in them.
pub(super) fn numbers(numbers: impl IntoIterator<Item = i64>) -> String {
    let mut text = String::new();
    for number in numbers {
        if !text.is_empty() {
            text.push(',');
        }
        text.push_str(&number.to_string());
    }
    text
}

/// Where a claim is found again: its row, and the key that it has taken.
pub(super) fn place(seq: i64, unique: Option<&Unique>) -> Bytes {
    let mut place = seq.to_be_bytes().to_vec();
    if let Some(unique) = unique {
        place.push(1);
        place.extend(unique.key.as_bytes());
    }
    place.into()
}

/// A claim as its receipt says.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) seq: i64,
    pub(super) token: i64,
}

impl Place {
    /// Of a receipt; that of no claim at all where it is not this driver's.
    pub(super) fn of(end: &Settlement) -> Self {
        let seq = end.receipt.place.first_chunk().map_or(0, |seq| i64::from_be_bytes(*seq));
        Self { seq, token: i64::try_from(end.receipt.token).unwrap_or(0) }
    }

    /// The key that the message has taken.
    pub(super) fn unique(end: &Settlement) -> Option<&[u8]> {
        end.receipt.place.get(9..)
    }
}
