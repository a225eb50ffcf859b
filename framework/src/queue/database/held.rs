use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use uuid::Uuid;

use super::{
    super::{Claimed, Receipt, Settlement},
    row::{key, numbers, sql},
};
use crate::database::{Connection, DbError};

/// What the workers of this process have, as far as they were told. A turn whose answer was lost may have claimed more, which
/// nobody would run: the worker lives, and knows nothing of it.
#[derive(Default)]
pub(super) struct Held(Mutex<HashMap<Uuid, Claims>>);

#[derive(Default)]
struct Claims {
    rows: HashSet<i64>,
    // When the answer to a turn was lost.
    lost: Option<Instant>,
}

/// How long a turn may still be carried out whose answer was lost: what comes after it may come before it.
const DOUBT: Duration = Duration::from_secs(12);

fn row(receipt: &Receipt) -> i64 {
    receipt.place.first_chunk().map_or(0, |seq| i64::from_be_bytes(*seq))
}

impl Held {
    /// The rows that a worker knows of, where there may be others that it has.
    pub(super) fn where_doubtful(&self, worker: Uuid) -> Option<Vec<i64>> {
        let held = self.0.lock();
        held.get(&worker).filter(|claims| claims.lost.is_some()).map(|claims| claims.rows.iter().copied().collect())
    }

    /// A worker was told what became of a turn that began then.
    pub(super) fn told(&self, worker: Uuid, ends: &[Settlement], claimed: &[Claimed], began: Instant) {
        let mut held = self.0.lock();
        if ends.is_empty() && claimed.is_empty() && !held.contains_key(&worker) {
            return;
        }
        let claims = held.entry(worker).or_default();
        claims.lost = claims.lost.filter(|lost| *lost + DOUBT > began);
        for end in ends {
            claims.rows.remove(&row(&end.receipt));
        }
        claims.rows.extend(claimed.iter().map(|claimed| row(&claimed.receipt)));
    }

    /// The answer to a worker's turn was lost, as of now.
    pub(super) fn lost(&self, worker: Uuid, now: Instant) {
        self.0.lock().entry(worker).or_default().lost = Some(now);
    }

    /// A job has ended by itself.
    pub(super) fn let_go(&self, receipt: &Receipt) {
        for claims in self.0.lock().values_mut() {
            claims.rows.remove(&row(receipt));
        }
    }

    /// A worker has gone.
    pub(super) fn forget(&self, worker: Uuid) {
        self.0.lock().remove(&worker);
    }
}

/// Puts back what a worker has and does not know of: it was no attempt.
pub(super) async fn put_back<C: Connection>(c: &mut C, worker: Uuid, known: &[i64]) -> Result<(), DbError> {
    let others =
        if known.is_empty() { String::new() } else { format!(" and seq not in ({})", numbers(known.iter().copied())) };
    let statement = format!("update queue_jobs set worker = null, attempts = attempts - 1 where worker = ?{others}");
    c.run(&sql(statement, [key(worker)])).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_whose_answer_was_lost_is_reckoned_with_for_a_while() {
        let (held, worker, start) = (Held::default(), Uuid::new_v4(), Instant::now());
        let second = |n: u64| start + Duration::from_secs(n);
        held.told(worker, &[], &[], start);
        assert_eq!(held.where_doubtful(worker), None);
        held.lost(worker, start);
        for n in [1, 11] {
            held.told(worker, &[], &[], second(n));
            assert_eq!(held.where_doubtful(worker), Some(Vec::new()), "it may be carried out yet");
        }
        held.told(worker, &[], &[], second(12));
        assert_eq!(held.where_doubtful(worker), None);
    }
}
