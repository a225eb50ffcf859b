use std::collections::{HashMap, HashSet};

use super::{
    super::{Message, Push, Pushed, Unique},
    batches,
    row::{about, key, marks, micros, name, sql, ties},
};
use crate::{
    database::{Connection, DbError, Value},
    support::{BoxError, Timestamp},
};

/// How many rows a statement inserts at most, and of how many bytes: servers limit both.
const ROWS: usize = 500;
const BYTES: usize = 1 << 20;

/// A push that can be written as often as a transaction is tried.
pub(super) struct Prepared {
    push: Push,
    about: Vec<Vec<u8>>,
}

impl Prepared {
    pub(super) fn new(push: Push, now: Timestamp) -> Result<Self, BoxError> {
        let push = push.begin(now);
        let about = push.messages.iter().map(about).collect::<Result<_, _>>()?;
        Ok(Self { push, about })
    }

    /// Stores it in the transaction of this connection.
    pub(super) async fn store<C: Connection>(&self, c: &mut C, now: Timestamp) -> Result<Vec<Pushed>, DbError> {
        self.store_giving(c, Vec::new(), now).await
    }

    /// Stores it, and gives keys back that it may take. All come by the batches first, and then by the keys, so that no two wait
    /// for each other.
    async fn store_giving<C: Connection>(&self, c: &mut C, keys: Keys, now: Timestamp) -> Result<Vec<Pushed>, DbError> {
        let Push { messages, batches, grown } = &self.push;
        let begun = batches::insert(c, batches).await?;
        batches::grow(c, grown).await?;
        give_keys(c, keys).await?;
        let refused = take_keys(c, messages, now).await?;
        let (mut ready, mut later) = (Vec::new(), Vec::new());
        for (index, (message, about)) in messages.iter().zip(&self.about).enumerate() {
            let is_there = message.batch.is_some_and(|batch| begun.contains(&batch));
            if !is_there && !refused.contains(&index) {
                let waits = message.due.is_some_and(|due| due > now);
                if waits { &mut later } else { &mut ready }.push((message, about));
            }
        }
        insert(c, &ready, false).await?;
        insert(c, &later, true).await?;
        let pushed = |index| if refused.contains(&index) { Pushed::Duplicate } else { Pushed::Stored };
        Ok((0..messages.len()).map(pushed).collect())
    }
}

/// Keys, and whose they are.
pub(super) type Keys = Vec<(Vec<u8>, uuid::Uuid)>;

/// Stores what a transaction itself pushes, and gives keys back.
pub(super) async fn store<C: Connection>(c: &mut C, push: Push, keys: Keys, now: Timestamp) -> Result<(), DbError> {
    if push.is_empty() {
        return give_keys(c, keys).await;
    }
    let prepared = Prepared::new(push, now).map_err(|error| unwritable(&*error))?;
    prepared.store_giving(c, keys, now).await.map(drop)
}

/// What cannot be written, as an error that a database closure may have.
pub(super) fn unwritable(error: &(dyn std::error::Error + Send + Sync)) -> DbError {
    diesel::result::Error::SerializationError(error.to_string().into()).into()
}

/// Writes messages, each with what is [written of it](about), to those that are ready or to those that are not due yet.
pub(super) async fn insert<C: Connection>(
    c: &mut C,
    rows: &[(&Message, &Vec<u8>)],
    later: bool,
) -> Result<(), DbError> {
    let mut rest = rows;
    while !rest.is_empty() {
        let mut bytes = 0;
        let fits = rest.iter().take(ROWS).take_while(|(message, about)| {
            let before = bytes;
            bytes += message.payload.len() + about.len();
            before == 0 || bytes <= BYTES
        });
        let (some, others) = rest.split_at(fits.count());
        rest = others;
        let mut text = match later {
            false => "insert into queue_jobs (queue, priority, about, payload, ties) values ".to_owned(),
            true => "insert into queue_scheduled (queue, priority, about, payload, ties, due_at) values ".to_owned(),
        };
        let mut values = Vec::with_capacity(some.len() * 3);
        for (index, (message, about)) in some.iter().enumerate() {
            text.push_str(if index == 0 { "(?," } else { ",(?," });
            text.push_str(&(message.priority as usize).to_string());
            let ties = ties(message);
            text.push_str(if ties.is_some() { ",?,?,?" } else { ",?,?,null" });
            if let Some(due) = message.due.filter(|_| later) {
                text.push(',');
                text.push_str(&micros(due).to_string());
            }
            text.push(')');
            values.extend([name(&message.queue), Value::Bytes(about.to_vec()), Value::Bytes(message.payload.to_vec())]);
            values.extend(ties.map(Value::Bytes));
        }
        c.run(&sql(text, values)).await?;
    }
    Ok(())
}

/// Takes the keys of those that have one; which of them could not.
async fn take_keys<C: Connection>(c: &mut C, messages: &[Message], now: Timestamp) -> Result<HashSet<usize>, DbError> {
    let mut first: HashMap<&str, usize> = HashMap::new();
    let mut refused = HashSet::new();
    for (index, message) in messages.iter().enumerate() {
        if let Some(unique) = &message.unique
            && *first.entry(&unique.key).or_insert(index) != index
        {
            refused.insert(index);
        }
    }
    // All take them in one order, so that no two wait for each other.
    let mut wanted: Vec<_> = first.into_iter().collect();
    wanted.sort_unstable();
    for (_, index) in wanted {
        let message = &messages[index];
        if let Some(unique) = &message.unique
            && !take_key(c, message, unique, now).await?
        {
            refused.insert(index);
        }
    }
    Ok(refused)
}

/// Takes a message's unique key; whether it could.
pub(super) async fn take_key<C: Connection>(
    c: &mut C,
    message: &Message,
    unique: &Unique,
    now: Timestamp,
) -> Result<bool, DbError> {
    let (owner, until, now) = (key(message.id.uuid()), micros(now.plus(unique.lasts)), micros(now));
    let row = [name(&unique.key), owner.clone(), until.into()];
    if C::BACKEND != "mysql" {
        let statement = "insert into queue_keys (name, owner, until) values (?, ?, ?) on conflict (name) do update \
                         set owner = excluded.owner, until = excluded.until \
                         where queue_keys.until <= ? or queue_keys.owner = excluded.owner";
        return Ok(c.run(&sql(statement, row.into_iter().chain([now.into()]))).await? == 1);
    }
    if insert_once(c, "queue_keys (name, owner, until)", row).await? {
        return Ok(true);
    }
    let statement = "update queue_keys set owner = ?, until = ? where name = ? and (until <= ? or owner = ?)";
    let values = [owner.clone(), until.into(), name(&unique.key), now.into(), owner];
    Ok(c.run(&sql(statement, values)).await? == 1)
}

/// Puts in a row where there is none of its key; whether it did.
pub(super) async fn insert_once<C: Connection, const N: usize>(
    c: &mut C,
    into: &str,
    values: [Value; N],
) -> Result<bool, DbError> {
    let statement = format!("insert into {into} values ({})", marks(N));
    if C::BACKEND != "mysql" {
        return Ok(c.run(&sql(format!("{statement} on conflict do nothing"), values)).await? == 1);
    }
    // Its `ignore` would cut off what is too long, too. An error ends the statement alone.
    match c.run(&sql(statement, values)).await.map_err(DbError::from) {
        Ok(_) => Ok(true),
        Err(error) if error.is_unique_violation() => Ok(false),
        Err(error) => Err(error),
    }
}

/// Gives keys back, where they are still their owners'.
pub(super) async fn give_keys<C: Connection>(c: &mut C, mut keys: Keys) -> Result<(), DbError> {
    keys.sort_unstable();
    for some in keys.chunks(ROWS) {
        let pairs = vec!["(name = ? and owner = ?)"; some.len()].join(" or ");
        let values = some.iter().flat_map(|(name, owner)| [Value::Bytes(name.clone()), key(*owner)]);
        c.run(&sql(format!("delete from queue_keys where {pairs}"), values)).await?;
    }
    Ok(())
}

/// Those of these batches that are cancelled.
pub(super) async fn cancelled<C: Connection>(
    c: &mut C,
    ids: &[super::super::BatchId],
) -> Result<HashSet<uuid::Uuid>, DbError> {
    let mut found = HashSet::new();
    for some in ids.chunks(ROWS) {
        let query =
            format!("select id from queue_batches where cancelled_at is not null and id in ({})", marks(some.len()));
        let rows = c.fetch(&sql(query, some.iter().map(|id| key(id.uuid())))).await?;
        found.extend(rows.into_iter().map(|mut row| super::row::uuid(&mut row, "id")));
    }
    Ok(found)
}
