use std::collections::{BTreeMap, HashSet};

use futures_util::future::BoxFuture;
use uuid::Uuid;

use super::{
    super::{BatchEnd, BatchId, BatchRecord, BatchStatus, Batches, DriverError, NewBatch, Push},
    DatabaseDriver,
    push::{insert_once, unwritable},
    row::{bytes, count, key, marks, micros, moment, optional, plain, sql, uuid},
};
use crate::{
    database::{Connection, DbError, Row, Value},
    support::Timestamp,
};

const COLUMNS: &str = "id, name, total, pending, failed, cancelled, cancelled_at, finished_at";

fn number(number: u64) -> Value {
    i64::try_from(number).unwrap_or(i64::MAX).into()
}

fn written(batch: &NewBatch) -> Result<Value, DbError> {
    rmp_serde::to_vec(batch).map(Value::Bytes).map_err(|error| unwritable(&error))
}

fn status(row: &mut Row) -> BatchStatus {
    BatchStatus {
        id: BatchId::from_uuid(uuid(row, "id")),
        name: row.text("name").to_owned(),
        total: count(row.integer("total")),
        pending: count(row.integer("pending")),
        failed: count(row.integer("failed")),
        cancelled: count(row.integer("cancelled")),
        cancelled_at: optional(row, "cancelled_at").map(moment),
        finished_at: optional(row, "finished_at").map(moment),
    }
}

/// Batches that begin; those of them that had begun already, since they were pushed before.
pub(super) async fn insert<C: Connection>(c: &mut C, batches: &[NewBatch]) -> Result<HashSet<BatchId>, DbError> {
    let mut begun = HashSet::new();
    for batch in batches {
        let total = number(batch.total);
        let values = [key(batch.id.uuid()), plain(&batch.name), total.clone(), total, 0.into(), written(batch)?];
        if !insert_once(c, "queue_batches (id, name, total, pending, failed, batch)", values).await? {
            begun.insert(batch.id);
        }
    }
    Ok(begun)
}

/// Batches that have more members.
pub(super) async fn grow<C: Connection>(c: &mut C, grown: &[(BatchId, u64)]) -> Result<(), DbError> {
    let mut grown = grown.to_vec();
    // In the order in which they end.
    grown.sort_unstable_by(|one, other| other.cmp(one));
    for (id, members) in grown {
        let statement =
            "update queue_batches set total = total + ?, pending = pending + ? where id = ? and finished_at is null";
        c.run(&sql(statement, [number(members), number(members), key(id.uuid())])).await?;
    }
    Ok(())
}

/// Changes a batch, held until the commit, and writes it back; what came of that, where there is such a batch.
pub(super) async fn change<C: Connection, R>(
    c: &mut C,
    id: BatchId,
    change: impl FnOnce(&mut BatchRecord) -> R + Send,
) -> Result<Option<R>, DbError> {
    let held = if C::BACKEND == "sqlite" { "" } else { " for update" };
    let query = format!("select {COLUMNS}, batch from queue_batches where id = ?{held}");
    let Some(mut row) = c.fetch(&sql(query, [key(id.uuid())])).await?.pop() else { return Ok(None) };
    let batch = rmp_serde::from_slice(&bytes(&mut row, "batch")).map_err(|error| unwritable(&error))?;
    let mut record = BatchRecord { batch, status: status(&mut row) };
    let follows = |batch: &NewBatch| [&batch.then, &batch.catch, &batch.finally].map(Push::is_empty);
    let had = follows(&record.batch);
    let result = change(&mut record);
    let BatchStatus { total, pending, failed, cancelled, cancelled_at, finished_at, .. } = &record.status;
    let moment = |moment: &Option<Timestamp>| moment.map_or("null".to_owned(), |moment| micros(moment).to_string());
    let (cancelled_at, finished_at) = (moment(cancelled_at), moment(finished_at));
    let mut statement = format!(
        "update queue_batches set total = ?, pending = ?, failed = ?, cancelled = ?, cancelled_at = {cancelled_at}, \
         finished_at = {finished_at}"
    );
    let mut values = vec![number(*total), number(*pending), number(*failed), number(*cancelled)];
    if follows(&record.batch) != had {
        // What follows was taken out.
        statement.push_str(", batch = ?");
        values.push(written(&record.batch)?);
    }
    statement.push_str(" where id = ?");
    values.push(key(id.uuid()));
    c.run(&sql(statement, values)).await?;
    Ok(Some(result))
}

/// A member that had failed runs again: so do the batches that it had ended.
pub(super) async fn rejoin<C: Connection>(c: &mut C, batch: BatchId) -> Result<(), DbError> {
    let mut next = Some((batch, BatchEnd::Failed));
    while let Some((id, had)) = next {
        next = change(c, id, |record| record.rejoin(had)).await?.flatten();
    }
    Ok(())
}

/// Notes the ends of batches' members; what is to be pushed for them.
pub(super) async fn end<C: Connection>(
    c: &mut C,
    ends: impl IntoIterator<Item = (BatchId, BatchEnd)>,
    now: Timestamp,
) -> Result<Push, DbError> {
    let mut push = Push::NOTHING;
    let mut waiting: BTreeMap<BatchId, Vec<BatchEnd>> = BTreeMap::new();
    for (id, end) in ends {
        waiting.entry(id).or_default().push(end);
    }
    // In one order, so that no two wait for each other; a batch that is a member of another ends before it.
    while let Some((id, ends)) = waiting.pop_last() {
        let news = change(c, id, |record| ends.into_iter().map(|end| record.end(end, now)).collect::<Vec<_>>()).await?;
        for news in news.into_iter().flatten() {
            push.extend(news.push);
            if let Some((outer, end)) = news.outer {
                waiting.entry(outer).or_default().push(end);
            }
        }
    }
    Ok(push)
}

impl<C: Connection> Batches for DatabaseDriver<C> {
    fn list<'a>(&'a self, only: Option<&'a [BatchId]>) -> BoxFuture<'a, Result<Vec<BatchStatus>, DriverError>> {
        let only = only.map(<[BatchId]>::to_vec);
        Box::pin(self.read(async move |c: &mut C| {
            let mut found = Vec::new();
            let Some(only) = only else {
                let query = format!("select {COLUMNS} from queue_batches order by id desc");
                return Ok(c.fetch(&sql(query, [])).await?.iter_mut().map(status).collect());
            };
            for some in only.chunks(500) {
                let query = format!("select {COLUMNS} from queue_batches where id in ({})", marks(some.len()));
                let rows = c.fetch(&sql(query, some.iter().map(|id| key(id.uuid())))).await?;
                found.extend(rows.into_iter().map(|mut row| status(&mut row)));
            }
            found.sort_unstable_by_key(|status| std::cmp::Reverse(status.id));
            Ok(found)
        }))
    }

    fn cancel(&self, id: BatchId) -> BoxFuture<'_, Result<bool, DriverError>> {
        let now = self.now();
        Box::pin(self.write(async move |c: &mut C| {
            let cancelled = change(c, id, |record| record.cancel(now)).await?;
            Ok(cancelled.unwrap_or(false))
        }))
    }

    fn prune(&self, before: Timestamp) -> BoxFuture<'_, Result<u64, DriverError>> {
        let before = micros(before);
        Box::pin(self.write(async move |c: &mut C| {
            let pruned = c.run(&sql("delete from queue_batches where finished_at < ?", [before.into()])).await?;
            Ok(u64::try_from(pruned).unwrap_or(u64::MAX))
        }))
    }
}

/// The batches of these messages.
pub(super) fn of<'a>(batches: impl Iterator<Item = &'a BatchId>) -> Vec<BatchId> {
    batches.copied().collect::<HashSet<_>>().into_iter().collect()
}

/// Whether this is among those that are cancelled.
pub(super) fn is_among(cancelled: &HashSet<Uuid>, batch: Option<BatchId>) -> bool {
    batch.is_some_and(|batch| cancelled.contains(&batch.uuid()))
}
