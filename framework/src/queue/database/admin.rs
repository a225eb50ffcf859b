use std::collections::BTreeMap;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::{
    super::{BatchEnd, Batches, Depth, DriverError, FailedJobs, Order, Peeked, QueueAdmin},
    DatabaseDriver, batches,
    claim::pause,
    push::store,
    row::{bytes, count, message, micros, name, numbers, sql, stored, tied, uuid},
};
use crate::{
    database::{Connection, DbError},
    support::Timestamp,
};

/// How many rows are read or taken out in one step.
const PAGE: usize = 500;

async fn depths<C: Connection>(c: &mut C) -> Result<Vec<(String, Depth)>, DbError> {
    let mut depths: BTreeMap<String, Depth> = BTreeMap::new();
    let queue = |row: &mut crate::database::Row| String::from_utf8_lossy(&bytes(row, "queue")).into_owned();
    // Each by the index that is for it: most of the rows are ready, and what is in them is large. In one statement, so that what goes
    // from one to another meanwhile is not missed in both.
    let query = "select queue, 0 as place, count(*) as n from queue_jobs where worker is null group by queue \
                 union all \
                 select queue, 1 as place, count(*) as n from queue_jobs where worker is not null group by queue \
                 union all \
                 select queue, 2 as place, count(*) as n from queue_scheduled group by queue";
    for mut row in c.fetch(&sql(query, [])).await? {
        let depth = depths.entry(queue(&mut row)).or_default();
        let place = match row.integer("place") {
            0 => &mut depth.ready,
            1 => &mut depth.running,
            _ => &mut depth.scheduled,
        };
        *place = count(row.integer("n"));
    }
    let query = "select queue, priority, about, payload from queue_jobs where seq in \
                 (select min(seq) from queue_jobs where worker is null group by queue, priority)";
    for mut row in c.fetch(&sql(query, [])).await? {
        let Ok(message) = message(&mut row) else { continue };
        let since = message.due.unwrap_or_else(|| message.id.made_at());
        let depth = depths.entry(message.queue).or_default();
        depth.oldest = Some(depth.oldest.map_or(since, |oldest| oldest.min(since)));
    }
    for mut row in c.fetch(&sql("select name from queue_states", [])).await? {
        let name = String::from_utf8_lossy(&bytes(&mut row, "name")).into_owned();
        if let Some(queue) = name.strip_prefix("pause:") {
            depths.entry(queue.to_owned()).or_default().paused = true;
        }
    }
    Ok(depths.into_iter().collect())
}

/// Takes some rows of a queue out of a table, up to that one; how many.
async fn clear<C: Connection>(
    c: &mut C,
    table: &str,
    queue: &str,
    last: i64,
    now: Timestamp,
) -> Result<usize, DbError> {
    let waits = if table == "queue_jobs" { " and worker is null" } else { "" };
    let held = if C::BACKEND == "sqlite" { "" } else { " for update" };
    let query = format!("select seq, ties from {table} where queue = ?{waits} and seq <= {last} limit {PAGE}{held}");
    let mut rows = c.fetch(&sql(query, [name(queue)])).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let seqs = numbers(rows.iter().map(|row| row.integer("seq")));
    c.run(&sql(format!("delete from {table} where seq in ({seqs})"), [])).await?;
    // Also of what cannot be read.
    let (of, keys): (Vec<_>, Vec<_>) = rows.iter_mut().map(tied).unzip();
    let ended = of.into_iter().flatten().map(|batch| (batch, BatchEnd::Cancelled));
    let push = batches::end(c, ended, now).await?;
    store(c, push, keys.into_iter().flatten().collect(), now).await?;
    Ok(rows.len())
}

async fn order<C: Connection>(c: &mut C, order: &Order) -> Result<(), DbError> {
    let (state, value) = match order {
        Order::Pause(queue) => (pause(queue), 1),
        Order::Continue(queue) => {
            c.run(&sql("delete from queue_states where name = ?", [pause(queue)])).await?;
            return Ok(());
        }
        Order::Restart(before) => (name("restart"), micros(*before)),
    };
    let update = match C::BACKEND {
        "mysql" => "on duplicate key update value = values(value)",
        _ => "on conflict (name) do update set value = excluded.value",
    };
    let statement = format!("insert into queue_states (name, value) values (?, ?) {update}");
    c.run(&sql(statement, [state, value.into()])).await?;
    Ok(())
}

/// A page begins behind a row of one of the two tables.
fn from(place: Option<&str>) -> (&'static str, i64) {
    let (table, seq) = place.and_then(|place| place.split_once(':')).unwrap_or(("queue_jobs", "0"));
    let table = if table == "queue_scheduled" { "queue_scheduled" } else { "queue_jobs" };
    (table, seq.parse().unwrap_or(0))
}

async fn peek<C: Connection>(c: &mut C, queue: &str, place: Option<&str>) -> Result<Peeked, DbError> {
    let (table, seq) = from(place);
    let query = format!(
        "select seq, queue, priority, about, payload from {table} where queue = ? and seq > {seq} order by seq limit {PAGE}"
    );
    let rows = c.fetch(&sql(query, [name(queue)])).await?;
    let next = match rows.last() {
        Some(row) if rows.len() == PAGE => Some(format!("{table}:{}", row.integer("seq"))),
        _ => (table == "queue_jobs").then(|| "queue_scheduled:0".to_owned()),
    };
    let messages = rows.into_iter().filter_map(|row| stored(row).message.ok()).collect();
    Ok(Peeked { messages, next })
}

impl<C: Connection> QueueAdmin for DatabaseDriver<C> {
    fn depths(&self) -> BoxFuture<'_, Result<Vec<(String, Depth)>, DriverError>> {
        Box::pin(self.read(async |c: &mut C| depths(c).await))
    }

    fn clear<'a>(&'a self, queue: &'a str) -> BoxFuture<'a, Result<u64, DriverError>> {
        let now = self.now();
        Box::pin(async move {
            let mut all = 0;
            for table in ["queue_jobs", "queue_scheduled"] {
                // What comes of the end of a batch stays.
                let query = sql(format!("select max(seq) as seq from {table}"), []);
                let rows = self.read(async move |c: &mut C| Ok(c.fetch(&query).await?)).await?;
                let last = rows.first().map_or(0, |row| row.integer("seq"));
                loop {
                    let queue = queue.to_owned();
                    let cleared = self.write(async move |c: &mut C| clear(c, table, &queue, last, now).await).await?;
                    all += u64::try_from(cleared).unwrap_or(u64::MAX);
                    if cleared < PAGE {
                        break;
                    }
                }
            }
            self.tell();
            Ok(all)
        })
    }

    fn order(&self, told: Order) -> BoxFuture<'_, Result<(), DriverError>> {
        Box::pin(async move {
            self.write(async move |c: &mut C| order(c, &told).await).await?;
            self.tell();
            Ok(())
        })
    }

    fn workers(&self) -> BoxFuture<'_, Result<Vec<(Uuid, Bytes)>, DriverError>> {
        Box::pin(async move {
            let query = sql("select id, beats, status from queue_workers order by id", []);
            let mut rows = self.read(async move |c: &mut C| Ok(c.fetch(&query).await?)).await?;
            let counts: Vec<_> = rows.iter_mut().map(|row| (uuid(row, "id"), row.integer("beats"))).collect();
            // A dead one's row is there until somebody tends the queues.
            let dead = self.inner.workers.lock().dead(&counts, (self.inner.elapsed)());
            let alive = counts.into_iter().zip(rows).filter(|(count, _)| !dead.contains(count));
            Ok(alive.map(|((id, _), mut row)| (id, bytes(&mut row, "status").into())).collect())
        })
    }

    fn peek<'a>(&'a self, queue: &'a str, from: Option<String>) -> BoxFuture<'a, Result<Peeked, DriverError>> {
        let queue = queue.to_owned();
        Box::pin(self.read(async move |c: &mut C| peek(c, &queue, from.as_deref()).await))
    }

    fn failed(&self) -> &dyn FailedJobs {
        self
    }

    fn batches(&self) -> &dyn Batches {
        self
    }
}
