use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;

use super::{
    super::{Driver, DriverError, Push, QueueError, Transactional},
    DatabaseDriver,
    push::unwritable,
    row::{bytes, micros, numbers, sql},
    within::{AsyncHook, before_commit, outside},
};
use crate::{
    database::{Connection, Db, DbError, Row, Value, after_commit},
    support::{BoxError, Clock},
};

/// How long whoever has written or claimed a row has to relay it before others do.
const CLAIM: Duration = Duration::from_secs(10);

/// How many rows are relayed at a time, and how many times before others get their turn.
const PAGE: usize = 100;
const PAGES: usize = 5;

/// How many messages are pushed at a time, so that no queue takes longer for it than is waited for.
const PART: usize = 1000;

/// What is pushed inside a transaction into queues that are outside its database: it is written by that transaction, into the table
/// `queue_outbox`, and relayed once that is committed.
///
/// What could not be relayed then, since the queue or this process was not there any more, stays until [`relay`](Relay::relay)
/// finds it. A process that ends between the two steps of a relay leaves a push that is made once more. One of more than 1,000
/// messages is relayed in parts, the batches that begin with it first.
///
/// ```no_run
/// # #[cfg(feature = "sqlite")] {
/// use std::sync::Arc;
/// use paravel::{database::{Db, SqliteConn}, queue::{Driver, Outbox, Queue}, support::{SystemClock, WireFormat}};
///
/// fn queue(driver: Arc<dyn Driver>, db: Arc<Db<SqliteConn>>) -> Queue {
///     let outbox = Outbox::new(db, Arc::clone(&driver), Arc::new(SystemClock));
///     Queue::new(driver, WireFormat::MessagePack, Arc::new(SystemClock)).within(Arc::new(outbox))
/// }
/// # }
/// ```
pub struct Outbox<C: Connection> {
    // Its tables, without its queues.
    table: DatabaseDriver<C>,
    queues: Arc<dyn Driver>,
}

/// An [`Outbox`] of whatever database, for whoever relays what it was left with.
pub trait Relay: Send + Sync {
    /// Pushes of what transactions have left behind as much as takes no long time; how many pushes that were, and none where there is
    /// nothing left. What others are at is left to them, and what a queue refuses stays.
    fn relay(&self) -> BoxFuture<'_, Result<u64, QueueError>>;
}

impl<C: Connection> Clone for Outbox<C> {
    fn clone(&self) -> Self {
        Self { table: self.table.clone(), queues: Arc::clone(&self.queues) }
    }
}

impl<C: Connection> Outbox<C> {
    /// The outbox in this database of these queues.
    pub fn new(db: Arc<Db<C>>, queues: Arc<dyn Driver>, clock: Arc<dyn Clock>) -> Self {
        Self { table: DatabaseDriver::new(db, clock), queues }
    }

    fn claimed_until(&self) -> i64 {
        micros(self.table.now().plus(CLAIM))
    }

    /// Pushes what a row says from so many messages on, in parts, and deletes the row.
    async fn relay_row(&self, seq: i64, mut push: Push, mut relayed: usize) -> Result<(), DriverError> {
        if relayed > 0 {
            push.batches.clear();
            push.messages.drain(..relayed.min(push.messages.len()));
        }
        loop {
            let part = part(&mut push);
            relayed += part.messages.len();
            self.queues.push(part).await?;
            let statement = match push.is_empty() {
                true => sql(format!("delete from queue_outbox where seq = {seq}"), []),
                // It goes on from there, whoever does.
                false => {
                    let until = self.claimed_until();
                    let change = format!("relayed = {relayed}, claimed_until = {until}");
                    sql(format!("update queue_outbox set {change} where seq = {seq}"), [])
                }
            };
            self.table.write(async move |c: &mut C| Ok(c.run(&statement).await?)).await?;
            if push.is_empty() {
                return Ok(());
            }
        }
    }

    /// Takes rows that nobody is at.
    async fn claim(&self) -> Result<Vec<Waiting>, DriverError> {
        let (now, until) = (micros(self.table.now()), self.claimed_until());
        // Mostly there are none, and nothing is to be written then.
        let query = sql("select seq from queue_outbox where claimed_until <= ? limit 1", [now.into()]);
        if self.table.read(async move |c: &mut C| Ok(c.fetch(&query).await?)).await?.is_empty() {
            return Ok(Vec::new());
        }
        let rows = self.table.write(async move |c: &mut C| {
            let held = if C::BACKEND == "sqlite" { "" } else { " for update skip locked" };
            let query = format!(
                "select seq, relayed, push from queue_outbox where claimed_until <= ? order by seq limit {PAGE}{held}"
            );
            let rows = c.fetch(&sql(query, [now.into()])).await?;
            let seqs = numbers(rows.iter().map(|row| row.integer("seq")));
            if !seqs.is_empty() {
                let statement = format!("update queue_outbox set claimed_until = ? where seq in ({seqs})");
                c.run(&sql(statement, [until.into()])).await?;
            }
            Ok(rows)
        });
        let read = |mut row: Row| Waiting {
            seq: row.integer("seq"),
            relayed: usize::try_from(row.integer("relayed")).unwrap_or(0),
            push: rmp_serde::from_slice(&bytes(&mut row, "push")).map_err(Into::into),
        };
        Ok(rows.await?.into_iter().map(read).collect())
    }

    /// Relays a page; how many rows were taken for it, and how many of them are gone.
    async fn relay_page(&self) -> Result<(usize, u64), DriverError> {
        let began = (self.table.inner.elapsed)();
        let rows = self.claim().await?;
        let (count, mut relayed) = (rows.len(), 0);
        for Waiting { seq, relayed: from, push } in rows {
            // Others come and take what is left.
            if began + CLAIM / 2 <= (self.table.inner.elapsed)() {
                break;
            }
            let pushed = match push {
                Ok(push) => self.relay_row(seq, push, from).await,
                // Another release may know how to read it.
                Err(error) => Err(DriverError::Refused(error)),
            };
            match pushed {
                Ok(()) => relayed += 1,
                // Those behind it must not wait for it.
                Err(DriverError::Refused(error)) => {
                    tracing::error!(seq, %error, "a row of `queue_outbox` cannot be relayed, and stays there");
                }
                Err(error) => return Err(error),
            }
        }
        Ok((count, relayed))
    }

    async fn relay_some(&self) -> Result<u64, DriverError> {
        let mut relayed = 0;
        for _ in 0..PAGES {
            let (count, some) = self.relay_page().await?;
            relayed += some;
            if count < PAGE {
                break;
            }
        }
        Ok(relayed)
    }
}

/// A row that is this one's for a while.
struct Waiting {
    seq: i64,
    relayed: usize,
    push: Result<Push, BoxError>,
}

/// Takes off what is pushed at a time.
fn part(push: &mut Push) -> Push {
    // A batch that grows must not end before all its new members are there.
    if push.messages.len() <= PART || !push.grown.is_empty() {
        return std::mem::take(push);
    }
    let rest = push.messages.split_off(PART);
    std::mem::replace(push, rest.into())
}

impl<C: Connection> Relay for Outbox<C> {
    fn relay(&self) -> BoxFuture<'_, Result<u64, QueueError>> {
        Box::pin(async move {
            let relayed = self.relay_some().await;
            relayed.map_err(|error| QueueError::Driver { operation: "relay its outbox", source: Arc::new(error) })
        })
    }
}

/// The push is kept in the outbox, and relayed after the commit.
struct Kept<C: Connection>(Outbox<C>);

impl<C: Connection> AsyncHook<C> for Kept<C> {
    async fn run(self, c: &mut C, push: Push) -> Result<(), DbError> {
        // A delay counts from the transaction on, however late the relay.
        let push = push.begin(self.0.table.now());
        let written = rmp_serde::to_vec(&push).map_err(|error| unwritable(&error))?;
        let seq = insert(c, written, self.0.claimed_until()).await?;
        after_commit(async move {
            if let Err(error) = self.0.relay_row(seq, push, 0).await {
                tracing::warn!(%error, seq, "what a transaction pushed stays in its outbox until it is relayed");
            }
        })
        .await
        .map_err(outside)?;
        Ok(())
    }
}

/// Puts in a row; its number.
async fn insert<C: Connection>(c: &mut C, push: Vec<u8>, until: i64) -> Result<i64, DbError> {
    let statement = "insert into queue_outbox (claimed_until, push) values (?, ?)";
    let values = [until.into(), Value::Bytes(push)];
    let rows = match C::BACKEND {
        "mysql" => {
            c.run(&sql(statement, values)).await?;
            c.fetch(&sql("select last_insert_id() as seq", [])).await?
        }
        _ => c.fetch(&sql(format!("{statement} returning seq"), values)).await?,
    };
    Ok(rows.first().map_or(0, |row| row.integer("seq")))
}

impl<C: Connection> Transactional for Outbox<C> {
    fn take(&self, push: Push) -> Option<Push> {
        before_commit(&self.table.inner.db, push, Kept(self.clone()))
    }
}
