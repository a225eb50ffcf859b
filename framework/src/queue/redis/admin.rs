use bytes::Bytes;
use futures_util::future::{BoxFuture, FutureExt};
use uuid::Uuid;

use super::{
    super::{Batches, Depth, DriverError, FailedJobs, Order, Peeked, QueueAdmin},
    BASE, Message, PAGE, RedisDriver, WAKE,
    answer::{self, failed, strange},
    scripts::{CLEAR, DEPTHS, PEEK},
    wire,
};
use crate::{
    redis::{Value, cmd, pipe},
    support::Timestamp,
};

/// How much is looked at in a page.
const SHOWN: usize = 100;

impl RedisDriver {
    pub(super) fn key(&self, name: &str) -> String {
        self.redis.key(&format!("{BASE}{name}"))
    }

    async fn all_depths(&self) -> Result<Vec<(String, Depth)>, DriverError> {
        let value: Value = self.call(&DEPTHS).query().await.map_err(failed)?;
        let mut depths = Vec::new();
        for queue in answer::list(value)? {
            let [name, ready, scheduled, running, paused, oldest] = answer::values(queue)?;
            let mut since: Option<Timestamp> = None;
            for first in answer::list(oldest)? {
                let Ok(Message { due, id, .. }) = answer::shown(first) else { continue };
                let waits = due.unwrap_or_else(|| id.made_at());
                since = Some(since.map_or(waits, |since| since.min(waits)));
            }
            let depth = Depth {
                ready: answer::number(ready)?,
                scheduled: answer::number(scheduled)?,
                running: answer::number(running)?,
                oldest: since,
                paused: answer::number::<i64>(paused)? == 1,
            };
            depths.push((answer::text(name)?, depth));
        }
        depths.sort_by(|one, other| one.0.cmp(&other.0));
        Ok(depths)
    }

    async fn give(&self, order: Order) -> Result<(), DriverError> {
        let mut commands = pipe();
        match order {
            Order::Pause(queue) => commands.add_command(cmd("SADD").arg(self.key("paused")).arg(queue).take()),
            Order::Continue(queue) => {
                commands.atomic().add_command(cmd("SREM").arg(self.key("paused")).arg(&queue).take());
                commands.add_command(cmd("PUBLISH").arg(self.redis.key(WAKE)).arg(queue).take())
            }
            Order::Restart(before) => {
                commands.add_command(cmd("SET").arg(self.key("restart")).arg(wire::micros(before)).take())
            }
        };
        self.redis.run(&commands).await.map_err(failed)
    }

    async fn alive(&self) -> Result<Vec<(Uuid, Bytes)>, DriverError> {
        let known: Vec<String> = self.redis.query(cmd("SMEMBERS").arg(self.key("workers"))).await.map_err(failed)?;
        if known.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<_> = known.iter().map(|worker| self.key(&format!("w:{worker}"))).collect();
        let said: Vec<Option<Vec<u8>>> = self.redis.query(cmd("MGET").arg(keys)).await.map_err(failed)?;
        let alive = known.iter().zip(said).filter_map(|(worker, said)| Some((worker, said?)));
        alive.map(|(worker, said)| Ok((worker.parse().map_err(|_| strange())?, said.into()))).collect()
    }
}

impl QueueAdmin for RedisDriver {
    fn depths(&self) -> BoxFuture<'_, Result<Vec<(String, Depth)>, DriverError>> {
        self.all_depths().boxed()
    }

    fn clear<'a>(&'a self, queue: &'a str) -> BoxFuture<'a, Result<u64, DriverError>> {
        async move {
            let (mut all, mut from) = (0, Vec::<String>::new());
            loop {
                let call = self.call(&CLEAR).arg(queue).arg(PAGE).arg(&from);
                let (taken, seen, next): (u64, u64, Vec<String>) = call.query().await.map_err(failed)?;
                (all, from) = (all + taken, next);
                if seen < PAGE {
                    return Ok(all);
                }
            }
        }
        .boxed()
    }

    fn order(&self, order: Order) -> BoxFuture<'_, Result<(), DriverError>> {
        self.give(order).boxed()
    }

    fn workers(&self) -> BoxFuture<'_, Result<Vec<(Uuid, Bytes)>, DriverError>> {
        self.alive().boxed()
    }

    fn peek<'a>(&'a self, queue: &'a str, from: Option<String>) -> BoxFuture<'a, Result<Peeked, DriverError>> {
        async move {
            let from = from.unwrap_or_else(|| "0".to_owned());
            let call = self.call(&PEEK).arg(queue).arg(from).arg(SHOWN);
            let (found, next): (Vec<Value>, Option<String>) = call.query().await.map_err(failed)?;
            // What cannot be read cannot be shown either.
            let messages = found.into_iter().filter_map(|message| answer::shown(message).ok()).collect();
            Ok(Peeked { messages, next })
        }
        .boxed()
    }

    fn failed(&self) -> &dyn FailedJobs {
        self
    }

    fn batches(&self) -> &dyn Batches {
        self
    }
}
