use futures_util::future::{BoxFuture, FutureExt};
use uuid::Uuid;

use super::{
    super::{DriverError, FailedJob, FailedJobs, JobId, Message},
    RedisDriver, answer,
    answer::failed,
    scripts::{FAILED, FORGET, RETRY},
    wire,
};
use crate::{
    redis::{Script, Value, cmd},
    support::Timestamp,
};

/// How many are asked about, or changed, at a time.
const MANY: usize = 500;

impl RedisDriver {
    /// Calls a script with these keys, some at a time, and sums up what it answers.
    async fn sum(&self, script: &'static Script, ids: &[JobId]) -> Result<u64, DriverError> {
        let mut sum = 0;
        for ids in ids.chunks(MANY) {
            let mut call = self.call(script);
            for id in ids {
                call = call.arg(id.uuid().as_bytes().as_slice());
            }
            sum += call.query::<u64>().await.map_err(failed)?;
        }
        Ok(sum)
    }

    /// Those that failed in that time.
    async fn failed_until(&self, end: &str) -> Result<Vec<JobId>, DriverError> {
        let key = self.key("failures");
        let ids: Vec<Vec<u8>> =
            self.redis.query(cmd("ZRANGEBYSCORE").arg(key).arg("-inf").arg(end)).await.map_err(failed)?;
        let ids = ids.iter().map(|id| Uuid::from_slice(id).map(JobId::from_uuid));
        ids.collect::<Result<_, _>>().map_err(|_| answer::strange())
    }
}

fn job(value: Value) -> Result<FailedJob, DriverError> {
    let [id, queue, message, error, at, attempts] = answer::values(value)?;
    let message = match answer::shown(message.clone()) {
        Ok(message) => message,
        Err(_) => unreadable(&answer::bytes(id)?, answer::text(queue)?, message)?,
    };
    Ok(FailedJob {
        message,
        error: answer::text(error)?,
        failed_at: wire::moment(answer::number(at)?),
        attempts: answer::number(attempts)?,
    })
}

/// What was put aside since it cannot be read, as a message that has it for its payload.
fn unreadable(id: &[u8], queue: String, stored: Value) -> Result<Message, DriverError> {
    let [stored, ..]: [Value; 3] = answer::values(stored)?;
    let id = Uuid::from_slice(id).map_err(|_| answer::strange())?;
    Ok(Message::unreadable(JobId::from_uuid(id), queue, answer::bytes(stored)?))
}

impl FailedJobs for RedisDriver {
    fn list<'a>(&'a self, only: Option<&'a [JobId]>) -> BoxFuture<'a, Result<Vec<FailedJob>, DriverError>> {
        async move {
            let ids = match only {
                Some(only) => only.to_vec(),
                None => self.failed_until("+inf").await?,
            };
            let mut found = Vec::with_capacity(ids.len());
            for ids in ids.chunks(MANY) {
                let mut call = self.call(&FAILED);
                for id in ids {
                    call = call.arg(id.uuid().as_bytes().as_slice());
                }
                // What cannot be read cannot be shown either.
                found.extend(call.query::<Vec<Value>>().await.map_err(failed)?.into_iter().filter_map(|v| job(v).ok()));
            }
            found.sort_by_key(|job| std::cmp::Reverse((job.failed_at, job.message.id)));
            Ok(found)
        }
        .boxed()
    }

    fn keys(&self) -> BoxFuture<'_, Result<Vec<JobId>, DriverError>> {
        async move {
            let mut ids = self.failed_until("+inf").await?;
            ids.reverse();
            Ok(ids)
        }
        .boxed()
    }

    fn retry<'a>(&'a self, ids: &'a [JobId]) -> BoxFuture<'a, Result<u64, DriverError>> {
        self.sum(&RETRY, ids).boxed()
    }

    fn forget<'a>(&'a self, ids: &'a [JobId]) -> BoxFuture<'a, Result<u64, DriverError>> {
        self.sum(&FORGET, ids).boxed()
    }

    fn prune(&self, before: Timestamp) -> BoxFuture<'_, Result<u64, DriverError>> {
        async move {
            let ids = self.failed_until(&format!("({}", wire::micros(before))).await?;
            self.sum(&FORGET, &ids).await
        }
        .boxed()
    }
}
