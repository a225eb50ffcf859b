use std::collections::{BTreeMap, HashSet};

use super::{
    super::{Outcome, Push, Settled, Settlement},
    batches,
    push::store,
    row::{Place, micros, numbers, plain, sql},
};
use crate::{
    database::{Connection, DbError, Value},
    support::Timestamp,
};

/// How many rows a statement joins at most: SQLite puts no more than 500 selections together.
const ROWS: usize = 250;

/// The ends of a turn, as each try of its transaction finds them.
pub(super) struct Ends {
    /// Those that only take a row away, and their places among all.
    pub(super) plain: Vec<(usize, Place)>,
    /// The others.
    rest: Vec<(usize, Settlement)>,
    count: usize,
}

impl Ends {
    pub(super) fn new(ends: &[Settlement]) -> Self {
        let (mut plain, mut rest) = (Vec::with_capacity(ends.len()), Vec::new());
        let mut seen = HashSet::with_capacity(ends.len());
        for (index, end) in ends.iter().enumerate() {
            let place = Place::of(end);
            // What is told twice is stale the second time.
            if !seen.insert(place) {
                continue;
            }
            match end.is_plain() && Place::unique(end).is_none() {
                true => plain.push((index, place)),
                false => rest.push((index, end.clone())),
            }
        }
        Self { plain, rest, count: ends.len() }
    }

    /// Whether others may want to hear of it.
    pub(super) fn is_news(&self) -> bool {
        !self.rest.is_empty()
    }

    /// What became of all, given the rows that were taken away.
    pub(super) fn settled(&self, gone: &HashSet<i64>, mut settled: Vec<Settled>) -> Vec<Settled> {
        for (index, place) in &self.plain {
            if gone.contains(&place.seq) {
                settled[*index] = Settled::Done;
            }
        }
        settled
    }

    /// Carries out those that do more than take a row away.
    pub(super) async fn settle_rest<C: Connection>(&self, c: &mut C, now: Timestamp) -> Result<Vec<Settled>, DbError> {
        let mut settled = vec![Settled::Stale; self.count];
        if self.rest.is_empty() {
            return Ok(settled);
        }
        let held = hold(c, self.rest.iter().map(|(_, end)| Place::of(end))).await?;
        let valid: Vec<_> = self.rest.iter().filter(|(_, end)| held.contains(&Place::of(end))).collect();
        for (index, _) in &valid {
            settled[*index] = Settled::Done;
        }
        settle(c, valid.into_iter().map(|(_, end)| end).collect(), now).await?;
        Ok(settled)
    }
}

/// The claims of these that are in force, held until the commit.
pub(super) async fn hold<C: Connection>(
    c: &mut C,
    places: impl Iterator<Item = Place> + Send,
) -> Result<HashSet<Place>, DbError> {
    let held = if C::BACKEND == "sqlite" { "" } else { " for update" };
    let places: HashSet<_> = places.collect();
    let seqs = numbers(places.iter().map(|place| place.seq));
    if seqs.is_empty() {
        return Ok(places);
    }
    let query =
        format!("select seq, token from queue_jobs where seq in ({seqs}) and worker is not null order by seq{held}");
    let rows = c.fetch(&sql(query, [])).await?;
    let found = rows.iter().map(|row| Place { seq: row.integer("seq"), token: row.integer("token") });
    Ok(found.filter(|place| places.contains(place)).collect())
}

/// Takes away the rows of these claims, where they are in force; which they were.
pub(super) async fn take_away<C: Connection>(c: &mut C, places: &[(usize, Place)]) -> Result<HashSet<i64>, DbError> {
    let mut gone = HashSet::with_capacity(places.len());
    if places.is_empty() {
        return Ok(gone);
    }
    if C::BACKEND == "sqlite" {
        let mut by_token: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for (_, place) in places {
            by_token.entry(place.token).or_default().push(place.seq);
        }
        for (token, seqs) in by_token {
            let statement = format!(
                "delete from queue_jobs where token = {token} and worker is not null and seq in ({}) returning seq",
                numbers(seqs)
            );
            gone.extend(c.fetch(&sql(statement, [])).await?.iter().map(|row| row.integer("seq")));
        }
        return Ok(gone);
    }
    let held = hold(c, places.iter().map(|(_, place)| *place)).await?;
    gone.extend(held.iter().map(|place| place.seq));
    delete(c, gone.iter().copied()).await?;
    Ok(gone)
}

async fn delete<C: Connection>(c: &mut C, seqs: impl Iterator<Item = i64>) -> Result<(), DbError> {
    let seqs = numbers(seqs);
    if !seqs.is_empty() {
        c.run(&sql(format!("delete from queue_jobs where seq in ({seqs})"), [])).await?;
    }
    Ok(())
}

/// Carries out ends of claims that are held.
pub(super) async fn settle<C: Connection>(c: &mut C, ends: Vec<&Settlement>, now: Timestamp) -> Result<(), DbError> {
    let (mut keys, mut members, mut push) = (Vec::new(), Vec::new(), Push::NOTHING);
    let (mut failed, mut later, mut again) = (Vec::new(), Vec::new(), Vec::new());
    for end in &ends {
        let seq = Place::of(end).seq;
        let (due, payload, back) = match &end.outcome {
            Outcome::Done { then } => {
                push.extend(then.clone());
                (None, None, None)
            }
            Outcome::Cancel => (None, None, None),
            Outcome::Fail { error, at } => {
                failed.push((seq, end.id, error, *at));
                (None, None, None)
            }
            Outcome::Retry { due, payload } => (Some(*due), payload.as_ref(), Some(0)),
            Outcome::Release { due, payload } => (*due, payload.as_ref(), Some(1)),
        };
        if let Some(payload) = payload {
            let statement = format!("update queue_jobs set payload = ? where seq = {seq}");
            c.run(&sql(statement, [Value::Bytes(payload.to_vec())])).await?;
        }
        match (back, due.filter(|due| *due > now)) {
            (None, _) => keys.extend(Place::unique(end).map(|key| (key.to_vec(), end.id.uuid()))),
            (Some(less), Some(due)) => later.push((seq, less, micros(due))),
            (Some(less), None) => again.push((seq, less)),
        }
        members.extend(end.batch_end());
    }
    for some in failed.chunks(ROWS) {
        fail(c, some).await?;
    }
    for some in later.chunks(ROWS) {
        put_later(c, some).await?;
    }
    for less in [0, 1] {
        put_back(c, &numbers(again.iter().filter(|(_, attempts)| *attempts == less).map(|(seq, _)| *seq)), less)
            .await?;
    }
    delete(c, ends.iter().map(|end| Place::of(end).seq)).await?;
    push.extend(batches::end(c, members, now).await?);
    store(c, push, keys, now).await
}

type Failure<'a> = (i64, super::super::JobId, &'a String, Timestamp);

/// Copies rows to those that failed for good.
async fn fail<C: Connection>(c: &mut C, failed: &[Failure<'_>]) -> Result<(), DbError> {
    let mut ends = String::new();
    let mut values = Vec::with_capacity(2 * failed.len());
    for (seq, id, error, at) in failed {
        let and = if ends.is_empty() { "" } else { " union all " };
        // There, a placeholder in a selection has the type of text, which bytes do not come through.
        let is_literal = C::BACKEND == "mysql";
        let key = if is_literal { format!("x'{}'", id.uuid().simple()) } else { "?".to_owned() };
        ends.push_str(&format!("{and}select {seq} as seq, {key} as id, ? as error, {} as failed_at", micros(*at)));
        values.extend((!is_literal).then(|| super::row::key(id.uuid())));
        values.push(plain(error));
    }
    let statement = format!(
        "insert into queue_failed (id, queue, priority, attempts, about, payload, error, failed_at) \
         select e.id, j.queue, j.priority, j.attempts, j.about, j.payload, e.error, e.failed_at \
         from queue_jobs j join ({ends}) e on e.seq = j.seq"
    );
    c.run(&sql(statement, values)).await?;
    Ok(())
}

/// Copies rows to those that are not due yet.
async fn put_later<C: Connection>(c: &mut C, later: &[(i64, i64, i64)]) -> Result<(), DbError> {
    let ends: Vec<_> =
        later.iter().map(|(seq, less, due)| format!("select {seq} as seq, {less} as less, {due} as due_at")).collect();
    let statement = format!(
        "insert into queue_scheduled (due_at, queue, priority, token, attempts, crashes, ties, about, payload) \
         select e.due_at, j.queue, j.priority, j.token, j.attempts - e.less, j.crashes, j.ties, j.about, j.payload \
         from queue_jobs j join ({}) e on e.seq = j.seq order by j.seq",
        ends.join(" union all ")
    );
    c.run(&sql(statement, [])).await?;
    Ok(())
}

/// Copies rows behind all others that are ready: one that goes back again and again must not stand before them.
async fn put_back<C: Connection>(c: &mut C, seqs: &str, less: i64) -> Result<(), DbError> {
    if seqs.is_empty() {
        return Ok(());
    }
    let statement = format!(
        "insert into queue_jobs (queue, priority, token, attempts, crashes, ties, about, payload) \
         select queue, priority, token, attempts - {less}, crashes, ties, about, payload \
         from queue_jobs where seq in ({seqs}) order by seq"
    );
    c.run(&sql(statement, [])).await?;
    Ok(())
}
