//! Ending claims, and making new ones.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Mutex as Queued;
use uuid::Uuid;

use super::{
    super::{BatchEnd, Claimed, DriverError, Outcome, Receipt, Settled, Settlement, Turn, Turned, UniqueUntil},
    answer::{self, strange},
    pack::Pack,
    wire::{self, micros},
};
use crate::{redis::Value, support::Timestamp};

/// Which answers each worker has heard: what was claimed for it by an answer that was lost would run nowhere.
#[derive(Default)]
pub(super) struct Hearing {
    workers: Mutex<HashMap<Uuid, Arc<Queued<Numbers>>>>,
}

/// Of a worker's claims, which come one after the other.
#[derive(Default)]
pub(super) struct Numbers {
    pub(super) sent: u64,
    pub(super) heard: u64,
}

impl Hearing {
    pub(super) fn of(&self, worker: Uuid) -> Arc<Queued<Numbers>> {
        Arc::clone(self.workers.lock().entry(worker).or_default())
    }

    pub(super) fn forget(&self, worker: Uuid) {
        self.workers.lock().remove(&worker);
    }
}

/// Where a claim is found: the priority of its stream, whether the message has a unique key, the worker, and the entry.
struct Place<'a> {
    priority: u8,
    is_unique: bool,
    worker: Uuid,
    entry: &'a str,
}

const WORKER: usize = 16;

impl<'a> Place<'a> {
    fn to_bytes(&self) -> Bytes {
        let mut bytes = Vec::with_capacity(2 + WORKER + self.entry.len());
        bytes.extend([self.priority, u8::from(self.is_unique)]);
        bytes.extend(self.worker.as_bytes());
        bytes.extend(self.entry.as_bytes());
        bytes.into()
    }

    fn read(bytes: &'a [u8]) -> Option<Self> {
        let (&[priority, is_unique], rest) = bytes.split_first_chunk()?;
        let (worker, entry) = rest.split_first_chunk::<WORKER>()?;
        let entry = std::str::from_utf8(entry).ok()?;
        Some(Self { priority, is_unique: is_unique != 0, worker: Uuid::from_bytes(*worker), entry })
    }

    /// As entries are ordered.
    fn order(&self) -> (u64, u64) {
        let (milliseconds, sequence) = self.entry.split_once('-').unwrap_or_default();
        (milliseconds.parse().unwrap_or_default(), sequence.parse().unwrap_or_default())
    }
}

/// Ends that a script carries out together: of one stream and one worker, done or cancelled, and nothing follows.
struct Run<'a> {
    queue: &'a str,
    places: Vec<Place<'a>>,
}

impl<'a> Run<'a> {
    fn takes(&self, queue: &str, place: &Place<'_>) -> bool {
        let stream = |place: &Place<'_>| (place.priority, place.worker);
        self.queue == queue && self.places.first().is_some_and(|first| stream(first) == stream(place))
    }

    /// The queue, the priority, and the worker with the first entry, the last, and all.
    fn pack(&self, ends: &mut Ends) {
        let Some(Place { priority, worker, .. }) = self.places.first() else { return };
        let order = |place: &&Place<'a>| place.order();
        let first = self.places.iter().min_by_key(order).map(|place| place.entry);
        let last = self.places.iter().max_by_key(order).map(|place| place.entry);
        let pack = ends.next();
        pack.list(3).text(self.queue).number((*priority).into()).list(2).text(&worker.to_string());
        pack.list(self.places.len() + 2);
        let entries = [first, last].into_iter().flatten().chain(self.places.iter().map(|place| place.entry));
        for entry in entries {
            pack.text(entry);
        }
    }
}

/// What the script is to do, one after the other, and how many those are.
#[derive(Default)]
struct Ends {
    pack: Pack,
    count: usize,
}

impl Ends {
    fn next(&mut self) -> &mut Pack {
        self.count += 1;
        &mut self.pack
    }

    fn finish(self) -> Vec<u8> {
        if self.count == 0 {
            return Vec::new();
        }
        let ends = self.pack.finish();
        let mut pack = Pack::with_capacity(5 + ends.len());
        pack.list(self.count);
        let mut packed = pack.finish();
        packed.extend(ends);
        packed
    }
}

/// The ends of a turn as the script takes them.
pub(super) fn ends(ends: &[Settlement], now: Timestamp) -> Result<Vec<u8>, DriverError> {
    let mut packed = Ends::default();
    let mut run: Option<Run<'_>> = None;
    for end in ends {
        let place = Place::read(&end.receipt.place).ok_or_else(strange)?;
        if end.is_plain() && !place.is_unique {
            match &mut run {
                Some(run) if run.takes(&end.queue, &place) => run.places.push(place),
                _ => {
                    let before = run.replace(Run { queue: &end.queue, places: vec![place] });
                    before.iter().for_each(|run| run.pack(&mut packed));
                }
            }
            continue;
        }
        run.take().iter().for_each(|run| run.pack(&mut packed));
        alone(packed.next(), end, &place, now);
    }
    run.iter().for_each(|run| run.pack(&mut packed));
    Ok(packed.finish())
}

/// An end that the script carries out by itself: where it is, how it ends and with what, and what it is for its batch.
fn alone(pack: &mut Pack, end: &Settlement, place: &Place<'_>, now: Timestamp) {
    pack.list(9).text(&end.queue).number(place.priority.into()).text(&place.worker.to_string()).text(place.entry);
    let payload = |pack: &mut Pack, payload: &Option<Bytes>| {
        pack.maybe(payload.as_ref(), |pack, payload| pack.bytes(payload));
    };
    match &end.outcome {
        Outcome::Done { then } if !then.is_empty() => {
            wire::push(pack.text("done"), &then.clone().begin(now));
            pack.nothing();
        }
        Outcome::Done { .. } => payload(pack.text("done").nothing(), &None),
        Outcome::Cancel => payload(pack.text("cancel").nothing(), &None),
        Outcome::Retry { due, payload: with } => payload(pack.text("retry").number(micros(*due)), with),
        Outcome::Release { due, payload: with } => {
            payload(pack.text("release").maybe(due.map(micros), Pack::number), with);
        }
        Outcome::Fail { error, at } => {
            pack.text("fail").text(error).number(micros(*at));
        }
    }
    let ended = |ended| match ended {
        BatchEnd::Done => "done",
        BatchEnd::Failed => "failed",
        BatchEnd::Cancelled => "cancelled",
    };
    let (batch, how) = end.batch_end().unzip();
    pack.maybe(batch, |pack, batch| pack.bytes(batch.uuid().as_bytes())).maybe(how.map(ended), Pack::text);
}

/// What was claimed and cannot be read: the entry, what it begins with, and why not.
pub(super) struct Odd {
    pub(super) entry: String,
    pub(super) begins: Bytes,
    pub(super) why: String,
}

/// What came of a turn, and what is odd in it.
pub(super) fn turned(turn: Turn<'_>, value: Value) -> Result<(Turned, Vec<Odd>), DriverError> {
    let [settled, claimed] = answer::values(value)?;
    let settled = answer::bytes(settled)?;
    if settled.len() != turn.ends.len() {
        return Err(strange());
    }
    let settled = settled.iter().map(|done| if *done == b'1' { Settled::Done } else { Settled::Stale }).collect();
    let mut parts = answer::list(claimed)?.into_iter();
    let (mut claims, mut odd) = (Vec::with_capacity(parts.len() / 3), Vec::new());
    while let (Some(entry), Some(stored), Some(more)) = (parts.next(), parts.next(), parts.next()) {
        let entry = answer::text(entry)?;
        let begins = answer::bytes(stored)?;
        match claimed_by(turn.worker, &entry, &begins, more) {
            Ok(claimed) => claims.push(claimed),
            Err(error) => odd.push(Odd { entry, begins, why: format!("its entry in Redis cannot be read: {error}") }),
        }
    }
    Ok((Turned { settled, claimed: claims }, odd))
}

fn claimed_by(worker: Uuid, entry: &str, stored: &Bytes, more: Value) -> Result<Claimed, DriverError> {
    let (mut counts, mut cancelled) = ([0; 3], false);
    let message = if more == Value::Nil {
        wire::message(stored).ok_or_else(strange)?
    } else {
        let [n, payload, due, is_cancelled] = answer::values(more)?;
        if let Some(n) = answer::optional(n)? {
            for (count, text) in counts.iter_mut().zip(n.split(|byte| *byte == b' ')) {
                *count = answer::parsed(text)?;
            }
        }
        cancelled = answer::number::<i64>(is_cancelled)? == 1;
        answer::message(stored, payload, due)?
    };
    let [claims, attempts, crashes] = counts;
    let place = Place {
        priority: message.priority as u8,
        is_unique: message.unique.as_ref().is_some_and(|unique| unique.until == UniqueUntil::Done),
        worker,
        entry,
    };
    let receipt = Receipt { token: u64::from(claims) + 1, place: place.to_bytes() };
    Ok(Claimed { message, receipt, attempt: attempts + 1, crashes, cancelled })
}
