use futures_util::future::{BoxFuture, FutureExt};
use uuid::Uuid;

use super::{
    super::{BatchId, BatchStatus, Batches, DriverError},
    PAGE, RedisDriver,
    answer::{self, failed, strange},
    scripts::{CANCEL, PRUNE, STATUSES},
    wire,
};
use crate::{
    redis::{Value, cmd},
    support::Timestamp,
};

/// How many are asked about at a time.
const MANY: usize = 500;

fn id(bytes: &[u8]) -> Result<BatchId, DriverError> {
    Uuid::from_slice(bytes).map(BatchId::from_uuid).map_err(|_| strange())
}

fn status(value: Value) -> Result<BatchStatus, DriverError> {
    let [key, name, total, pending, failed, cancelled, finished, lost] = answer::values(value)?;
    Ok(BatchStatus {
        id: id(&answer::bytes(key)?)?,
        name: answer::text(name)?,
        total: answer::number(total)?,
        pending: answer::number(pending)?,
        failed: answer::number(failed)?,
        cancelled: answer::maybe(lost)?.unwrap_or(0),
        cancelled_at: answer::maybe(cancelled)?.map(wire::moment),
        finished_at: answer::maybe(finished)?.map(wire::moment),
    })
}

impl Batches for RedisDriver {
    fn list<'a>(&'a self, only: Option<&'a [BatchId]>) -> BoxFuture<'a, Result<Vec<BatchStatus>, DriverError>> {
        async move {
            let ids = match only {
                Some(only) => only.to_vec(),
                None => {
                    let ids = cmd("ZRANGE").arg(self.key("batches")).arg(0).arg(-1).take();
                    let ids: Vec<Vec<u8>> = self.redis.query(&ids).await.map_err(failed)?;
                    ids.iter().map(|bytes| id(bytes)).collect::<Result<_, _>>()?
                }
            };
            let mut found = Vec::with_capacity(ids.len());
            for ids in ids.chunks(MANY) {
                let mut call = self.call(&STATUSES);
                for id in ids {
                    call = call.arg(id.uuid().as_bytes().as_slice());
                }
                for value in call.query::<Vec<Value>>().await.map_err(failed)? {
                    found.push(status(value)?);
                }
            }
            found.sort_by_key(|batch| std::cmp::Reverse(batch.id));
            Ok(found)
        }
        .boxed()
    }

    fn cancel(&self, id: BatchId) -> BoxFuture<'_, Result<bool, DriverError>> {
        async move { self.call(&CANCEL).arg(id.uuid().as_bytes().as_slice()).query().await.map_err(failed) }.boxed()
    }

    fn prune(&self, before: Timestamp) -> BoxFuture<'_, Result<u64, DriverError>> {
        async move {
            let mut all = 0;
            loop {
                let call = self.call(&PRUNE).arg(wire::micros(before)).arg(PAGE);
                let pruned: u64 = call.query().await.map_err(failed)?;
                all += pruned;
                if pruned < PAGE {
                    return Ok(all);
                }
            }
        }
        .boxed()
    }
}
