use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use uuid::Uuid;

use super::{
    super::{DriverError, Tended},
    DatabaseDriver,
    row::{count, key, micros, name, numbers, optional, sql, uuid},
};
use crate::{
    database::{Connection, DbError},
    support::Timestamp,
};

/// How many rows become ready in one transaction, and in how many transactions before others get their turn.
const PAGE: usize = 1000;
const PAGES: usize = 4;

/// How often keys that have ended are deleted.
const PRUNE: u64 = 60;

/// A worker's count of beats, and since when it stands there, as this process has seen it.
///
/// No clock has a part in this: one that is set makes nobody dead, and machines need not agree on the time. Whoever has only
/// begun to look has to look for as long as a worker is believed.
#[derive(Clone, Copy)]
pub(super) struct Seen {
    beats: i64,
    since: Instant,
    lives: Duration,
}

/// How long a worker is believed that this process has not heard of before.
const LIVES: Duration = Duration::from_secs(12);

/// How long nobody may have looked: while the database was away, or this process stood still, the living may have had no way to
/// beat either.
const BLIND: Duration = Duration::from_secs(6);

/// The workers that this process knows of.
#[derive(Default)]
pub(super) struct Workers {
    seen: HashMap<Uuid, Seen>,
    // When they were last looked at.
    looked: Option<Instant>,
}

impl Workers {
    /// A worker of this process has told that it is alive.
    pub(super) fn beats(&mut self, worker: Uuid, beats: i64, since: Instant, lives: Duration) {
        self.looked.get_or_insert(since);
        self.seen.insert(worker, Seen { beats, since, lives });
    }

    pub(super) fn forget(&mut self, worker: Uuid) {
        self.seen.remove(&worker);
    }

    /// These counts have just been read; those of them that have stood still for too long. After a time in which nobody looked,
    /// each stands there since now.
    pub(super) fn dead(&mut self, counts: &[(Uuid, i64)], now: Instant) -> Vec<(Uuid, i64)> {
        let was_blind = self.looked.replace(now).is_some_and(|looked| looked + BLIND < now);
        let known = std::mem::take(&mut self.seen);
        for (worker, beats) in counts {
            let seen = known.get(worker).filter(|seen| seen.beats == *beats && !was_blind).copied();
            let lives = known.get(worker).map_or(LIVES, |seen| seen.lives);
            self.seen.insert(*worker, seen.unwrap_or(Seen { beats: *beats, since: now, lives }));
        }
        let is_dead = |worker: &Uuid| self.seen.get(worker).is_some_and(|seen| seen.since + seen.lives <= now);
        counts.iter().filter(|(worker, _)| is_dead(worker)).copied().collect()
    }
}

/// What there is to do.
struct Look {
    workers: Vec<(Uuid, i64)>,
    /// Somebody has a job who is not among the workers.
    unknown: bool,
    /// When the next becomes due in each queue that has any.
    due: Vec<(usize, i64)>,
}

async fn look<C: Connection>(c: &mut C, queues: &[String]) -> Result<Look, DbError> {
    let workers = c.fetch(&sql("select id, beats from queue_workers", [])).await?;
    let mut query = "select -1 as place, (select 1 from queue_jobs j where j.worker is not null and not exists \
                     (select 1 from queue_workers w where w.id = j.worker) limit 1) as due"
        .to_owned();
    for place in 0..queues.len() {
        query.push_str(&format!(
            " union all select {place} as place, \
             (select due_at from queue_scheduled where queue = ? order by due_at limit 1) as due"
        ));
    }
    let rows = c.fetch(&sql(query, queues.iter().map(|queue| name(queue)))).await?;
    let mut due = Vec::new();
    let mut unknown = false;
    for row in &rows {
        match (usize::try_from(row.integer("place")), optional(row, "due")) {
            (Err(_), found) => unknown = found.is_some(),
            (Ok(place), Some(at)) => due.push((place, at)),
            (Ok(_), None) => {}
        }
    }
    let workers = workers.into_iter().map(|mut row| (uuid(&mut row, "id"), row.integer("beats"))).collect();
    Ok(Look { workers, unknown, due })
}

impl<C: Connection> DatabaseDriver<C> {
    pub(super) async fn tend_queues(&self, queues: &[String]) -> Result<Tended, DriverError> {
        let (now, mut tended) = (micros(self.now()), Tended::default());
        let mut found = self.look(queues).await?;
        let dead = self.inner.workers.lock().dead(&found.workers, (self.inner.elapsed)());
        if !dead.is_empty() || found.unknown {
            tended.rescued = self.write(async move |c: &mut C| rescue(c, &dead).await).await?;
        }
        if found.due.iter().any(|(_, due)| *due <= now) {
            let mut pages = PAGES;
            for (place, _) in found.due.iter().filter(|(_, due)| *due <= now) {
                tended.due += self.promote(&queues[*place], now, &mut pages).await?;
            }
            found = self.look(queues).await?;
        }
        let wait = |(_, due): &(usize, i64)| Duration::from_micros(count(due.saturating_sub(now)));
        tended.next = found.due.iter().map(wait).min();
        if tended.due + tended.rescued > 0 {
            self.tell();
        }
        if self.inner.tends.fetch_add(1, std::sync::atomic::Ordering::Relaxed) % PRUNE == PRUNE - 1 {
            let ended = sql("delete from queue_keys where until <= ?", [now.into()]);
            self.write(async move |c: &mut C| Ok(c.run(&ended).await?)).await?;
        }
        Ok(tended)
    }

    async fn look(&self, queues: &[String]) -> Result<Look, DriverError> {
        self.read(async move |c: &mut C| look(c, queues).await).await
    }

    /// Makes ready what is due in a queue, so many pages of it at most; how much that was.
    async fn promote(&self, queue: &str, now: i64, pages: &mut usize) -> Result<u64, DriverError> {
        let mut due = 0;
        while *pages > 0 {
            *pages -= 1;
            let queue = queue.to_owned();
            let some = self.write(async move |c: &mut C| promote(c, &queue, now).await).await?;
            due += some;
            if some < PAGE as u64 {
                break;
            }
        }
        Ok(due)
    }
}

fn skip_locked<C: Connection>() -> &'static str {
    if C::BACKEND == "sqlite" { "" } else { " for update skip locked" }
}

async fn promote<C: Connection>(c: &mut C, queue: &str, now: i64) -> Result<u64, DbError> {
    let query = format!(
        "select seq from queue_scheduled where queue = ? and due_at <= ? order by due_at, seq limit {PAGE}{}",
        skip_locked::<C>()
    );
    let rows = c.fetch(&sql(query, [name(queue), now.into()])).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    // By their keys, and not by their moments: many are due at one.
    let seqs = numbers(rows.iter().map(|row| row.integer("seq")));
    let statement = format!(
        "insert into queue_jobs (queue, priority, token, attempts, crashes, ties, about, payload) \
         select queue, priority, token, attempts, crashes, ties, about, payload from queue_scheduled \
         where seq in ({seqs}) order by due_at, seq"
    );
    c.run(&sql(statement, [])).await?;
    c.run(&sql(format!("delete from queue_scheduled where seq in ({seqs})"), [])).await?;
    Ok(rows.len() as u64)
}

/// Makes ready what those have who are no workers any more. What the living have does not even come into sight.
async fn rescue<C: Connection>(c: &mut C, dead: &[(Uuid, i64)]) -> Result<u64, DbError> {
    for (worker, beats) in dead {
        // It may have beaten since.
        let statement = "delete from queue_workers where id = ? and beats = ?";
        c.run(&sql(statement, [key(*worker), (*beats).into()])).await?;
    }
    let of = if C::BACKEND == "postgres" { " for update of j skip locked" } else { skip_locked::<C>() };
    let mut rescued = 0;
    loop {
        let query = format!(
            "select j.seq from queue_jobs j where j.worker is not null and not exists \
             (select 1 from queue_workers w where w.id = j.worker) order by j.seq limit {PAGE}{of}"
        );
        let rows = c.fetch(&sql(query, [])).await?;
        let seqs = numbers(rows.iter().map(|row| row.integer("seq")));
        if !seqs.is_empty() {
            // It did not come to its end, so it was no attempt.
            let statement = format!(
                "update queue_jobs set worker = null, attempts = attempts - 1, crashes = crashes + 1 where seq in ({seqs})"
            );
            c.run(&sql(statement, [])).await?;
        }
        rescued += rows.len() as u64;
        if rows.len() < PAGE {
            return Ok(rescued);
        }
    }
}

/// A worker's beat; its count.
pub(super) async fn beat<C: Connection>(c: &mut C, worker: Uuid, status: &[u8]) -> Result<i64, DbError> {
    let update = match C::BACKEND {
        "mysql" => "on duplicate key update beats = beats + 1, status = values(status)",
        _ => "on conflict (id) do update set beats = queue_workers.beats + 1, status = excluded.status",
    };
    let statement = format!("insert into queue_workers (id, beats, status) values (?, 1, ?) {update}");
    c.run(&sql(statement, [key(worker), crate::database::Value::Bytes(status.to_vec())])).await?;
    let rows = c.fetch(&sql("select beats from queue_workers where id = ?", [key(worker)])).await?;
    Ok(rows.first().map_or(0, |row| row.integer("beats")))
}

/// A worker that leaves, with nothing in its hands.
pub(super) async fn leave<C: Connection>(c: &mut C, worker: Uuid) -> Result<(), DbError> {
    c.run(&sql("delete from queue_workers where id = ?", [key(worker)])).await?;
    let statement = "update queue_jobs set worker = null, attempts = attempts - 1 where worker = ?";
    c.run(&sql(statement, [key(worker)])).await?;
    Ok(())
}

/// Before when workers were told to end.
pub(super) async fn restart<C: Connection>(c: &mut C) -> Result<Option<Timestamp>, DbError> {
    let rows = c.fetch(&sql("select value from queue_states where name = ?", [name("restart")])).await?;
    Ok(rows.first().map(|row| super::row::moment(row.integer("value"))))
}
