//! How messages, and what is pushed, are written for the scripts and read back.

use std::{borrow::Cow, time::Duration};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    super::{BatchId, JobId, Message, NewBatch, Priority, Push, Unique, UniqueUntil},
    pack::Pack,
};
use crate::support::Timestamp;

/// What is further off than this, about the year 2255, is as good as never: a script's numbers are exact so far.
const LATEST: i64 = 1 << 53;

/// Where a message's payload begins: after its key, and the length of what is in between.
const KEY: usize = 16;
const LENGTH: usize = 4;

/// What is in a message beside its key and its payload.
#[derive(Serialize, Deserialize)]
struct Head<'a> {
    queue: Cow<'a, str>,
    priority: Priority,
    due: Option<Timestamp>,
    delay: Option<Duration>,
    unique: Option<Cow<'a, Unique>>,
    batch: Option<BatchId>,
    kind: Cow<'a, str>,
}

/// A moment as the scripts have it: microseconds since 1970.
pub(super) fn micros(moment: Timestamp) -> i64 {
    moment.utc().timestamp_micros().min(LATEST)
}

pub(super) fn moment(micros: i64) -> Timestamp {
    chrono::DateTime::from_timestamp_micros(micros).unwrap_or_default().into()
}

fn length(lasts: Duration) -> i64 {
    i64::try_from(lasts.as_micros()).unwrap_or(LATEST).min(LATEST / 2)
}

fn head(message: &Message) -> Vec<u8> {
    let head = Head {
        queue: Cow::Borrowed(&message.queue),
        priority: message.priority,
        due: message.due,
        delay: message.delay,
        unique: message.unique.as_ref().map(Cow::Borrowed),
        batch: message.batch,
        kind: Cow::Borrowed(&message.kind),
    };
    // Of numbers and texts alone: it does not fail.
    rmp_serde::to_vec(&head).unwrap_or_default()
}

/// Packs a message as it is stored: its key, the length of its head, the head, the payload.
fn store(pack: &mut Pack, message: &Message, head: &[u8]) {
    let length = u32::try_from(head.len()).unwrap_or(u32::MAX).to_be_bytes();
    pack.bytes_of(&[message.id.uuid().as_bytes(), &length, head, &message.payload]);
}

/// The message that [`store`] has packed. The payload stays where it is.
pub(super) fn message(stored: &Bytes) -> Option<Message> {
    let (key, rest) = stored.split_first_chunk::<KEY>()?;
    let (length, rest) = rest.split_first_chunk::<LENGTH>()?;
    let head = rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    let payload = stored.slice(KEY + LENGTH + head.len()..);
    let Head { queue, priority, due, delay, unique, batch, kind } = rmp_serde::from_slice(head).ok()?;
    Some(Message {
        id: JobId::from_uuid(Uuid::from_bytes(*key)),
        queue: queue.into_owned(),
        priority,
        due,
        delay,
        unique: unique.map(Cow::into_owned),
        batch,
        kind: kind.into_owned().into(),
        payload,
    })
}

/// Packs what is pushed as the scripts take it: batches, those that grow, messages.
pub(super) fn push(pack: &mut Pack, push: &Push) {
    let Push { messages, batches, grown } = push;
    pack.list(3).list(batches.len());
    batches.iter().for_each(|new| batch(pack, new));
    pack.list(grown.len());
    for (id, members) in grown {
        pack.list(2).bytes(id.uuid().as_bytes()).number(i64::try_from(*members).unwrap_or(LATEST));
    }
    let together = |one: &Message, next: &Message| {
        is_plain(one) && is_plain(next) && (&one.queue, one.priority) == (&next.queue, next.priority)
    };
    pack.list(messages.chunk_by(together).count());
    for run in messages.chunk_by(together) {
        let Some(first) = run.first() else { continue };
        let plain = is_plain(first);
        pack.list(if plain { 3 } else { 4 }).text(&first.queue).number(first.priority as i64);
        if plain {
            pack.list(run.len());
        }
        let mut written: Option<(&str, Vec<u8>)> = None;
        for message in run {
            // Of a run of one kind, all have the same head.
            let head = match &written {
                Some((kind, head)) if *kind == message.kind => head,
                _ => &written.insert((&message.kind, head(message))).1,
            };
            store(pack, message, head);
        }
        if !plain {
            more(pack, first);
        }
    }
}

/// Whether a message has nothing that a script has to know of.
fn is_plain(message: &Message) -> bool {
    let Message { due, delay, unique, batch, .. } = message;
    due.is_none() && delay.is_none() && unique.is_none() && batch.is_none()
}

/// When it is due, in how long after it is pushed, its unique key, its batch.
fn more(pack: &mut Pack, message: &Message) {
    let Message { due, delay, unique, batch, .. } = message;
    pack.list(4).maybe(due.map(micros), Pack::number).maybe(delay.map(length), Pack::number);
    pack.maybe(unique.as_ref(), |pack, unique| pack.text(&key(unique)));
    pack.maybe(*batch, |pack, batch| pack.bytes(batch.uuid().as_bytes()));
}

/// Whether it is free from its start on, for how long it is taken, and the key itself.
fn key(unique: &Unique) -> String {
    let at_start = u8::from(unique.until == UniqueUntil::Start);
    format!("{at_start} {} {}", length(unique.lasts), unique.key)
}

fn batch(pack: &mut Pack, batch: &NewBatch) {
    let (outer, goes_on) = batch.part_of.map_or((None, false), |part| (Some(part.batch), part.goes_on));
    pack.list(9).bytes(batch.id.uuid().as_bytes()).text(&batch.name);
    pack.number(i64::try_from(batch.total).unwrap_or(LATEST)).boolean(batch.allows_failures);
    pack.maybe(outer, |pack, outer| pack.bytes(outer.uuid().as_bytes())).boolean(goes_on);
    for later in [&batch.then, &batch.catch, &batch.finally] {
        let mut packed = Pack::default();
        if !later.is_empty() {
            push(&mut packed, later);
        }
        pack.bytes(&packed.finish());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_as_it_was_stored() {
        let unique = Unique { key: "k\n ü".to_owned(), lasts: Duration::MAX, until: UniqueUntil::Start };
        let plain = Message {
            id: JobId::new(),
            queue: "mail".to_owned(),
            priority: Priority::Low,
            due: None,
            delay: None,
            unique: None,
            batch: None,
            kind: "kind".into(),
            payload: vec![0, 159, 10, 255].into(),
        };
        let full = Message {
            due: Some(Timestamp::now()),
            delay: Some(Duration::MAX),
            unique: Some(unique),
            batch: Some(BatchId::new()),
            payload: Bytes::new(),
            ..plain.clone()
        };
        for message in [plain, full] {
            let mut pack = Pack::default();
            let head = head(&message);
            store(&mut pack, &message, &head);
            let bytes = pack.finish();
            // Without its own length before it.
            let bytes = Bytes::from(bytes).slice(2..);
            assert_eq!(super::message(&bytes), Some(message));
            // A payload of whatever length is one.
            for length in 0..KEY + LENGTH + head.len() {
                assert_eq!(super::message(&bytes.slice(..length)), None, "cut short at {length}");
            }
        }
    }
}
