use futures_util::future::BoxFuture;

use super::{
    super::{DriverError, FailedJob, FailedJobs, JobId},
    DatabaseDriver, batches,
    push::{insert, take_key, unwritable},
    row::{about, key, marks, message, micros, moment, sql, uuid},
};
use crate::{
    database::{Connection, DbError, Row},
    support::Timestamp,
};

/// How many rows are read or changed in one step.
const SOME: usize = 500;

fn failed_job(row: &mut Row) -> Option<FailedJob> {
    let error = row.text("error").to_owned();
    let (failed_at, attempts) = (moment(row.integer("failed_at")), row.integer("attempts"));
    match message(row) {
        Ok(message) => Some(FailedJob { message, error, failed_at, attempts: u32::try_from(attempts).unwrap_or(0) }),
        Err(error) => {
            tracing::error!(%error, "a row of `queue_failed` cannot be read, and is left out");
            None
        }
    }
}

async fn find<C: Connection>(c: &mut C, ids: Option<&[JobId]>) -> Result<Vec<FailedJob>, DbError> {
    let columns = "queue, priority, attempts, about, payload, error, failed_at";
    let mut rows = Vec::new();
    match ids {
        None => rows = c.fetch(&sql(format!("select {columns} from queue_failed"), [])).await?,
        Some(ids) => {
            for some in ids.chunks(SOME) {
                let query = format!("select {columns} from queue_failed where id in ({})", marks(some.len()));
                rows.extend(c.fetch(&sql(query, some.iter().map(|id| key(id.uuid())))).await?);
            }
        }
    }
    let mut found: Vec<_> = rows.iter_mut().filter_map(failed_job).collect();
    found.sort_unstable_by_key(|job| std::cmp::Reverse((job.failed_at, job.message.id)));
    Ok(found)
}

/// Makes one ready again, as if it had never been tried; whether it was there, and its key free.
async fn retry<C: Connection>(c: &mut C, id: JobId, now: Timestamp) -> Result<bool, DbError> {
    let held = if C::BACKEND == "sqlite" { "" } else { " for update" };
    let query = format!("select queue, priority, about, payload from queue_failed where id = ?{held}");
    let Some(mut row) = c.fetch(&sql(query, [key(id.uuid())])).await?.pop() else { return Ok(false) };
    let Ok(mut message) = message(&mut row) else { return Ok(false) };
    if let Some(unique) = &message.unique
        && !take_key(c, &message, unique, now).await?
    {
        return Ok(false);
    }
    if let Some(batch) = message.batch {
        batches::rejoin(c, batch).await?;
    }
    message.due = Some(now);
    let about = about(&message).map_err(|error| unwritable(&*error))?;
    insert(c, &[(&message, &about)], false).await?;
    c.run(&sql("delete from queue_failed where id = ?", [key(id.uuid())])).await?;
    Ok(true)
}

impl<C: Connection> FailedJobs for DatabaseDriver<C> {
    fn list<'a>(&'a self, only: Option<&'a [JobId]>) -> BoxFuture<'a, Result<Vec<FailedJob>, DriverError>> {
        let only = only.map(<[JobId]>::to_vec);
        Box::pin(self.read(async move |c: &mut C| find(c, only.as_deref()).await))
    }

    fn keys(&self) -> BoxFuture<'_, Result<Vec<JobId>, DriverError>> {
        let query = sql("select id from queue_failed order by failed_at desc, id desc", []);
        Box::pin(self.read(async move |c: &mut C| {
            let rows = c.fetch(&query).await?;
            Ok(rows.into_iter().map(|mut row| JobId::from_uuid(uuid(&mut row, "id"))).collect())
        }))
    }

    fn retry<'a>(&'a self, ids: &'a [JobId]) -> BoxFuture<'a, Result<u64, DriverError>> {
        let now = self.now();
        Box::pin(async move {
            let mut retried = 0;
            for some in ids.chunks(SOME) {
                let mut some = some.to_vec();
                // In one order, so that no two wait for each other.
                some.sort_unstable();
                retried += self
                    .write(async move |c: &mut C| {
                        let mut retried = 0;
                        for id in some {
                            retried += u64::from(retry(c, id, now).await?);
                        }
                        Ok(retried)
                    })
                    .await?;
            }
            self.tell();
            Ok(retried)
        })
    }

    fn forget<'a>(&'a self, ids: &'a [JobId]) -> BoxFuture<'a, Result<u64, DriverError>> {
        Box::pin(async move {
            let mut forgotten = 0;
            for some in ids.chunks(SOME) {
                let statement = format!("delete from queue_failed where id in ({})", marks(some.len()));
                let statement = sql(statement, some.iter().map(|id| key(id.uuid())));
                forgotten += self.write(async move |c: &mut C| Ok(c.run(&statement).await?)).await?;
            }
            Ok(u64::try_from(forgotten).unwrap_or(u64::MAX))
        })
    }

    fn prune(&self, before: Timestamp) -> BoxFuture<'_, Result<u64, DriverError>> {
        let statement = sql("delete from queue_failed where failed_at < ?", [micros(before).into()]);
        Box::pin(async move {
            let pruned = self.write(async move |c: &mut C| Ok(c.run(&statement).await?)).await?;
            Ok(u64::try_from(pruned).unwrap_or(u64::MAX))
        })
    }
}
