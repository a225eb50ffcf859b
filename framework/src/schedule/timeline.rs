use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::time::Instant;
use uuid::Uuid;

use super::{entry::Entry, missed::ON_TIME};
use crate::support::Timestamp;

/// How often the clock is looked at, at least: it may be put forward or back, and a machine that slept counts no time.
const LOOK: Duration = Duration::from_secs(1);

/// A clock that is put back by no more than this shows times of day again that have been seen to.
const SHOWN_AGAIN: Duration = Duration::from_secs(3 * 3600);

/// How long a fence is left alone that could not be asked, before what is owed is tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// What is to be made up for, and could not be: the fence could not be asked.
pub(super) struct Owed {
    pub(super) entry: Arc<Entry>,
    /// What was due after that moment, or is not known to have been seen to before it.
    pub(super) since: Timestamp,
    /// The claim whose answer never came. Made again under its name it is the same, should it have been taken.
    pub(super) claim: Option<(Timestamp, Uuid)>,
}

/// What is to be done now.
pub(super) enum Due {
    /// The task is to be run for these times.
    Now(Arc<Entry>, Vec<Timestamp>),
    /// It is to be tried again.
    Again(Owed),
}

/// Where each task stands in the course of time.
pub(super) struct Timeline {
    positions: Vec<Position>,
    seen: Timestamp,
}

struct Position {
    entry: Arc<Entry>,
    /// Up to when it has been seen to.
    until: Timestamp,
    next: Option<Timestamp>,
    /// The last time for which it was run.
    ran: Option<Timestamp>,
    /// What could not be seen to, and when it is tried again. It is not run for later times before: what is known of it is the latest
    /// one, and those before would be taken to have been seen to.
    owed: Option<(Owed, Instant)>,
    /// Lives while it is made up for what was missed. Neither is it run for later times then, for the same reason.
    backlog: Weak<()>,
}

impl Timeline {
    /// What becomes due after `now`.
    pub(super) fn begin(entries: &[Arc<Entry>], now: Timestamp) -> Self {
        let position = |entry: &Arc<Entry>| Position {
            next: entry.calendar.next(now),
            entry: Arc::clone(entry),
            until: now,
            ran: None,
            owed: None,
            backlog: Weak::new(),
        };
        Self { positions: entries.iter().map(position).collect(), seen: now }
    }

    /// What has become due by now.
    pub(super) fn turn(&mut self, now: Timestamp) -> Vec<Due> {
        if now < self.seen {
            tracing::warn!(from = %self.seen, to = %now, "the clock was put back");
            self.positions.iter_mut().for_each(|position| position.put_back(now));
        }
        self.seen = now;
        self.positions.iter_mut().filter_map(|position| position.turn(now)).collect()
    }

    /// Has what is owed tried again before long.
    pub(super) fn owe(&mut self, mut owed: Owed) {
        let Some(position) = self.positions.iter_mut().find(|position| Arc::ptr_eq(&position.entry, &owed.entry))
        else {
            return;
        };
        if let Some((known, _)) = position.owed.take()
            && known.since < owed.since
        {
            owed = known;
        }
        position.owed = Some((owed, Instant::now() + AGAIN));
    }

    /// Leaves a task where it stands for as long as this is kept. What becomes due meanwhile is due afterwards.
    pub(super) fn hold(&mut self, entry: &Arc<Entry>) -> Arc<()> {
        let held = Arc::new(());
        if let Some(position) = self.positions.iter_mut().find(|position| Arc::ptr_eq(&position.entry, entry)) {
            position.backlog = Arc::downgrade(&held);
        }
        held
    }

    /// For how long nothing is to be done.
    pub(super) fn wait(&self, now: Timestamp) -> Duration {
        let free = self.positions.iter().filter(|position| position.owed.is_none() && !position.is_held());
        let next = free.filter_map(|position| position.next).min();
        next.map_or(LOOK, |next| next.utc().signed_duration_since(now.utc()).to_std().unwrap_or_default().min(LOOK))
    }
}

impl Position {
    fn is_held(&self) -> bool {
        self.backlog.strong_count() > 0
    }

    fn turn(&mut self, now: Timestamp) -> Option<Due> {
        if self.is_held() {
            return None;
        }
        if let Some((_, again)) = &self.owed {
            if *again > Instant::now() {
                return None;
            }
            self.until = now;
            self.next = self.entry.calendar.next(now);
            return self.owed.take().map(|(owed, _)| Due::Again(owed));
        }
        let next = self.next.filter(|next| *next <= now)?;
        let (calendar, missed) = (&self.entry.calendar, self.entry.terms.missed);
        let chosen = missed.chosen(calendar.latest(missed.depth(), self.until, now), now);
        if chosen.is_empty() {
            tracing::warn!(task = self.entry.name, since = %next, "a task was due while nobody looked, and is not run for that");
        }
        self.until = now;
        self.next = calendar.next(now);
        self.ran = chosen.last().copied().or(self.ran);
        (!chosen.is_empty()).then(|| Due::Now(Arc::clone(&self.entry), chosen))
    }

    /// Goes on from an earlier moment. Intervals begin anew there; a time of day for which it has run is left to be.
    fn put_back(&mut self, now: Timestamp) {
        let held = if self.entry.calendar.is_time_of_day() { SHOWN_AGAIN } else { ON_TIME };
        self.until = self.ran.filter(|ran| *ran > now && *ran <= now.plus(held)).unwrap_or(now);
        self.next = self.entry.calendar.next(self.until);
    }
}
