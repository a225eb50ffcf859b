use std::{sync::Arc, time::Duration};

use futures_util::future::{BoxFuture, FutureExt};
use uuid::Uuid;

use super::store::{Acquired, Begin, Begun, Counted, Fetched, LockStore, Put, Store, StoreError, Usage, Version, When};
use crate::{
    database::{Connection, Db, DbError, Isolation, Row, Statement, Value, apart},
    support::Clock,
};

/// How long a caller that waits for a lock leaves the database alone.
const LOOK: Duration = Duration::from_millis(50);

/// How often a change that met another one is tried, and how much longer to leave the database to others after each.
const MOST_TRIES: u32 = 10;
const PAUSE: Duration = Duration::from_millis(5);

/// A row that is true for ever.
const NEVER: i64 = 0;

/// The cache's store in the application's database, in tables that the toolkit's migrations make. Times are the application's own:
/// machines that share a database are taken to share a clock.
pub struct DatabaseStore<C: Connection> {
    db: Arc<Db<C>>,
    clock: Arc<dyn Clock>,
}

impl<C: Connection> DatabaseStore<C> {
    /// A store in this database.
    pub fn new(db: Arc<Db<C>>, clock: Arc<dyn Clock>) -> Self {
        Self { db, clock }
    }

    fn now(&self) -> i64 {
        self.clock.now().utc().timestamp_millis()
    }

    fn end(&self, ttl: Option<Duration>) -> i64 {
        let after = |ttl: Duration| self.now().saturating_add(i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX));
        ttl.map_or(NEVER, after)
    }

    async fn read<R, F>(&self, read: F) -> Result<R, StoreError>
    where
        F: for<'c> AsyncFnOnce(&'c mut C) -> Result<R, DbError>
            + for<'c> crate::database::AsyncFunc<&'c mut C, Result<R, DbError>, Future: Send>
            + Send,
        R: Send,
    {
        // A replica may not have yet what was invalidated.
        apart(self.db.read_primary(read)).await.map_err(failed)
    }

    async fn write<R, F>(&self, write: F) -> Result<R, StoreError>
    where
        F: for<'c> AsyncFnOnce(&'c mut C) -> Result<R, DbError>
            + for<'c> crate::database::AsyncFunc<&'c mut C, Result<R, DbError>, Future: Send>
            + Clone
            + Send
            + 'static,
        R: Send + 'static,
    {
        let mut tries = 0;
        loop {
            tries += 1;
            // What others have committed meanwhile has to be seen: a row that was there when another was to be put in.
            match apart(self.db.transaction_at(Isolation::ReadCommitted, write.clone())).await {
                // Many who change one key are often in each other's way.
                Err(error) if error.is_conflict() && tries < MOST_TRIES => tokio::time::sleep(tries * PAUSE).await,
                done => return done.map_err(failed),
            }
        }
    }
}

fn failed(error: DbError) -> StoreError {
    match error.is_transient() {
        true => StoreError::unavailable(error),
        false => StoreError::refused(error),
    }
}

fn name(name: &str) -> Value {
    Value::Bytes(name.as_bytes().to_vec())
}

/// The name of a lease among the locks.
fn lease(key: &str) -> Value {
    name(&format!("lease:{key}"))
}

fn bytes(owner: Uuid) -> Value {
    Value::Bytes(owner.as_bytes().to_vec())
}

/// A statement, and the values of its placeholders.
fn sql(sql: impl Into<String>, values: impl IntoIterator<Item = Value>) -> Statement {
    values.into_iter().fold(Statement::new(sql), Statement::bind)
}

fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

/// The row's bytes, which it gives away.
fn column(row: &Row, column: &str) -> Option<Vec<u8>> {
    match row.get(column) {
        Value::Bytes(bytes) => Some(bytes.clone()),
        // An empty value may come as text from where the two are not told apart.
        Value::Text(text) => Some(text.clone().into_bytes()),
        _ => None,
    }
}

/// Puts in a row where there is none of its key; whether it did.
async fn insert<C: Connection>(c: &mut C, table: &str, columns: &str, values: [Value; 3]) -> Result<bool, DbError> {
    let statement = match C::BACKEND {
        "mysql" => format!("insert ignore into {table} (name, {columns}, expires_at) values (?, ?, ?)"),
        _ => format!("insert into {table} (name, {columns}, expires_at) values (?, ?, ?) on conflict do nothing"),
    };
    Ok(c.run(&sql(statement, values)).await? == 1)
}

/// Rows that are read to be changed are held until the end.
fn for_update<C: Connection>() -> &'static str {
    if C::BACKEND == "sqlite" { "" } else { " for update" }
}

async fn entry<C: Connection>(c: &mut C, key: &str, now: i64, held: &str) -> Result<Option<(Vec<u8>, i64)>, DbError> {
    let query = format!(
        "select value, expires_at from cache_entries where name = ? and (expires_at = 0 or expires_at > ?){held}"
    );
    let rows = c.fetch(&sql(query, [name(key), now.into()])).await?;
    Ok(rows.first().and_then(|row| Some((column(row, "value")?, row.integer("expires_at")))))
}

async fn end_lease<C: Connection>(c: &mut C, key: &str) -> Result<(), DbError> {
    c.run(&sql("delete from cache_locks where name = ?", [lease(key)])).await?;
    Ok(())
}

async fn upsert<C: Connection>(c: &mut C, key: &str, value: Vec<u8>, end: i64) -> Result<(), DbError> {
    let update = match C::BACKEND {
        "mysql" => "on duplicate key update value = values(value), expires_at = values(expires_at)",
        _ => "on conflict (name) do update set value = excluded.value, expires_at = excluded.expires_at",
    };
    let statement = format!("insert into cache_entries (name, value, expires_at) values (?, ?, ?) {update}");
    c.run(&sql(statement, [name(key), Value::Bytes(value), end.into()])).await?;
    Ok(())
}

async fn delete_ended<C: Connection>(c: &mut C, table: &str, row: Value, now: i64) -> Result<(), DbError> {
    let statement = format!("delete from {table} where name = ? and expires_at <> 0 and expires_at <= ?");
    c.run(&sql(statement, [row, now.into()])).await?;
    Ok(())
}

async fn versions<C: Connection>(c: &mut C, tags: &[String]) -> Result<Vec<Option<Version>>, DbError> {
    if tags.is_empty() {
        return Ok(Vec::new());
    }
    let query = format!("select name, version from cache_tags where name in ({})", marks(tags.len()));
    let rows = c.fetch(&sql(query, tags.iter().map(|tag| name(tag)))).await?;
    let version = |tag: &String| {
        let row = rows.iter().find(|row| row.get("name") == &name(tag))?;
        Version::try_from(column(row, "version")?).ok()
    };
    Ok(tags.iter().map(version).collect())
}

impl<C: Connection> Store for DatabaseStore<C> {
    fn fetch<'a>(&'a self, keys: &'a [String], tags: &'a [String]) -> BoxFuture<'a, Result<Fetched, StoreError>> {
        let now = self.now();
        let read = async move |c: &mut C| {
            let mut entries = Vec::with_capacity(keys.len());
            if !keys.is_empty() {
                let query = format!(
                    "select name, value from cache_entries where name in ({}) and (expires_at = 0 or expires_at > ?)",
                    marks(keys.len())
                );
                let values = keys.iter().map(|key| name(key)).chain([now.into()]);
                let rows = c.fetch(&sql(query, values)).await?;
                for key in keys {
                    let row = rows.iter().find(|row| row.get("name") == &name(key));
                    entries.push(row.and_then(|row| column(row, "value")));
                }
            }
            // After the entries: a tag that is invalidated between the two makes its entries old, and never new.
            Ok(Fetched { entries, tags: versions(c, tags).await? })
        };
        self.read(read).boxed()
    }

    fn begin<'a>(&'a self, begin: Begin<'a>) -> BoxFuture<'a, Result<Begun, StoreError>> {
        let (now, end) = (self.now(), self.end(begin.ttl));
        let (key, mut sorted) = (begin.key.to_owned(), begin.tags.to_vec());
        let tags = begin.tags.to_vec();
        // All take them in one order, so that no two wait for each other.
        sorted.sort_unstable();
        let owned = begin.lease.map(|(owner, length)| (owner, self.end(Some(length))));
        let write = async move |c: &mut C| {
            let mut leased = false;
            if let Some((owner, end)) = owned {
                delete_ended(c, "cache_locks", lease(&key), now).await?;
                leased = insert(c, "cache_locks", "owner", [lease(&key), bytes(owner), end.into()]).await?;
            }
            let found = loop {
                for tag in &sorted {
                    delete_ended(c, "cache_tags", name(tag), now).await?;
                    let version = bytes(Uuid::new_v4());
                    if !insert(c, "cache_tags", "version", [name(tag), version, end.into()]).await? {
                        // It stays for as long as the longest of its entries.
                        let longer = "update cache_tags set expires_at = ? where name = ? and expires_at <> 0 \
                                      and (? = 0 or expires_at < ?)";
                        c.run(&sql(longer, [end.into(), name(tag), end.into(), end.into()])).await?;
                    }
                }
                // One may have been invalidated in between.
                let found: Option<Vec<_>> = versions(c, &tags).await?.into_iter().collect();
                if let Some(found) = found {
                    break found;
                }
            };
            let entry = entry(c, &key, now, "").await?.map(|(value, _)| value);
            Ok(Begun { entry, leased, tags: found })
        };
        self.write(write).boxed()
    }

    fn put<'a>(&'a self, put: Put<'a>) -> BoxFuture<'a, Result<bool, StoreError>> {
        let (now, end) = (self.now(), self.end(put.ttl));
        let (key, value) = (put.key.to_owned(), put.value.to_vec());
        let when = match put.when {
            When::Always => Kept::Always,
            When::Absent => Kept::Absent,
            When::Same(same) => Kept::Same(same.to_vec()),
            When::Leased(owner) => Kept::Leased(owner),
        };
        let write = async move |c: &mut C| {
            let kept = match when {
                Kept::Always => {
                    upsert(c, &key, value, end).await?;
                    true
                }
                Kept::Absent => {
                    delete_ended(c, "cache_entries", name(&key), now).await?;
                    insert(c, "cache_entries", "value", [name(&key), Value::Bytes(value), end.into()]).await?
                }
                Kept::Same(same) => match entry(c, &key, now, for_update::<C>()).await? {
                    Some((there, _)) if there == same => {
                        upsert(c, &key, value, end).await?;
                        true
                    }
                    _ => false,
                },
                Kept::Leased(owner) => {
                    let statement = "delete from cache_locks where name = ? and owner = ? and expires_at > ?";
                    let leased = c.run(&sql(statement, [lease(&key), bytes(owner), now.into()])).await? == 1;
                    if leased {
                        upsert(c, &key, value, end).await?;
                    }
                    return Ok(leased);
                }
            };
            if kept {
                end_lease(c, &key).await?;
            }
            Ok(kept)
        };
        self.write(write).boxed()
    }

    fn take<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, StoreError>> {
        let (now, key) = (self.now(), key.to_owned());
        let write = async move |c: &mut C| {
            end_lease(c, &key).await?;
            let found = entry(c, &key, now, for_update::<C>()).await?;
            c.run(&sql("delete from cache_entries where name = ?", [name(&key)])).await?;
            Ok(found.map(|(value, _)| value))
        };
        self.write(write).boxed()
    }

    fn count<'a>(&'a self, key: &'a str, by: i64, ttl: Option<Duration>) -> BoxFuture<'a, Result<Counted, StoreError>> {
        let (now, end, key) = (self.now(), self.end(ttl), key.to_owned());
        let write = async move |c: &mut C| {
            // Held before anything is put in: two who both first tried that would wait for each other on MySQL.
            let held = match entry(c, &key, now, for_update::<C>()).await? {
                Some(held) => Some(held),
                None => {
                    delete_ended(c, "cache_entries", name(&key), now).await?;
                    insert(c, "cache_entries", "value", [name(&key), Value::Bytes(b"0".to_vec()), end.into()]).await?;
                    entry(c, &key, now, for_update::<C>()).await?
                }
            };
            let Some((value, end)) = held else { return Ok(Counted::Other) };
            let number = std::str::from_utf8(&value).ok().and_then(|digits| digits.parse::<i64>().ok());
            let Some(number) = number else { return Ok(Counted::Other) };
            let Some(sum) = number.checked_add(by) else { return Ok(Counted::Overflow) };
            upsert(c, &key, sum.to_string().into_bytes(), end).await?;
            end_lease(c, &key).await?;
            let left = u64::try_from(end.saturating_sub(now)).unwrap_or(0);
            Ok(Counted::Sum { sum, expires_in: (end != NEVER).then(|| Duration::from_millis(left)) })
        };
        self.write(write).boxed()
    }

    fn invalidate<'a>(&'a self, tags: &'a [String]) -> BoxFuture<'a, Result<(), StoreError>> {
        let mut tags = tags.to_vec();
        tags.sort_unstable();
        let write = async move |c: &mut C| {
            for tag in &tags {
                c.run(&sql("delete from cache_tags where name = ?", [name(tag)])).await?;
            }
            Ok(())
        };
        self.write(write).boxed()
    }

    fn flush<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        let ranges = [("cache_locks", range(&format!("lease:{prefix}"))), ("cache_tags", range(prefix))];
        let ranges = ranges.into_iter().chain([("cache_entries", range(prefix))]).collect::<Vec<_>>();
        let write = async move |c: &mut C| {
            for (table, range) in ranges {
                c.run(&sql(format!("delete from {table} where name >= ? and name < ?"), range)).await?;
            }
            Ok(())
        };
        self.write(write).boxed()
    }

    fn extend<'a>(&'a self, key: &'a str, owner: Uuid, length: Duration) -> BoxFuture<'a, Result<bool, StoreError>> {
        let (now, end, key) = (self.now(), self.end(Some(length)), key.to_owned());
        let write = async move |c: &mut C| {
            let theirs = [lease(&key), bytes(owner), now.into()];
            if length.is_zero() {
                let statement = "delete from cache_locks where name = ? and owner = ? and expires_at > ?";
                return Ok(c.run(&sql(statement, theirs)).await? == 1);
            }
            let held = for_update::<C>();
            let query = format!("select name from cache_locks where name = ? and owner = ? and expires_at > ?{held}");
            if c.fetch(&sql(query, theirs)).await?.is_empty() {
                return Ok(false);
            }
            let statement = "update cache_locks set expires_at = ? where name = ?";
            c.run(&sql(statement, [end.into(), lease(&key)])).await?;
            Ok(true)
        };
        self.write(write).boxed()
    }

    fn usage<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Usage, StoreError>> {
        let now = self.now();
        let read = async move |c: &mut C| {
            let query = "select count(*) as entries, coalesce(sum(length(value)), 0) as bytes from cache_entries \
                         where name >= ? and name < ? and (expires_at = 0 or expires_at > ?)";
            // Where the sum is a decimal number, it is asked for as a whole one.
            let query =
                match C::BACKEND {
                    "mysql" => query
                        .replace("coalesce(sum(length(value)), 0)", "cast(coalesce(sum(length(value)), 0) as signed)"),
                    "postgres" => query
                        .replace("coalesce(sum(length(value)), 0)", "cast(coalesce(sum(length(value)), 0) as bigint)"),
                    _ => query.to_owned(),
                };
            let rows = c.fetch(&sql(query, range(prefix).into_iter().chain([now.into()]))).await?;
            let number = |column| rows.first().map_or(0, |row| u64::try_from(row.integer(column)).unwrap_or(0));
            Ok(Usage { entries: number("entries"), bytes: Some(number("bytes")) })
        };
        self.read(read).boxed()
    }

    fn prune(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        let now = self.now();
        let write = async move |c: &mut C| {
            let mut pruned = 0;
            for table in ["cache_entries", "cache_tags", "cache_locks"] {
                let statement = format!("delete from {table} where expires_at <> 0 and expires_at <= ?");
                let deleted = c.run(&sql(statement, [now.into()])).await?;
                if table == "cache_entries" {
                    pruned = u64::try_from(deleted).unwrap_or(u64::MAX);
                }
            }
            Ok(pruned)
        };
        self.write(write).boxed()
    }
}

impl<C: Connection> LockStore for DatabaseStore<C> {
    fn acquire<'a>(
        &'a self,
        lock: &'a str,
        owner: Uuid,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Acquired, StoreError>> {
        let (now, end, lock) = (self.now(), self.end(Some(lease)), name(lock));
        let write = async move |c: &mut C| {
            let statement = "delete from cache_locks where name = ? and (owner = ? or expires_at <= ?)";
            c.run(&sql(statement, [lock.clone(), bytes(owner), now.into()])).await?;
            if insert(c, "cache_locks", "owner", [lock.clone(), bytes(owner), end.into()]).await? {
                return Ok(Acquired::Yes);
            }
            let rows = c.fetch(&sql("select expires_at from cache_locks where name = ?", [lock])).await?;
            let left = rows.first().map_or(0, |row| row.integer("expires_at").saturating_sub(now));
            Ok(Acquired::No(Duration::from_millis(u64::try_from(left).unwrap_or(0))))
        };
        self.write(write).boxed()
    }

    fn release<'a>(&'a self, lock: &'a str, owner: Uuid) -> BoxFuture<'a, Result<bool, StoreError>> {
        let (now, lock) = (self.now(), name(lock));
        let write = async move |c: &mut C| {
            let statement = "delete from cache_locks where name = ? and owner = ? and expires_at > ?";
            Ok(c.run(&sql(statement, [lock, bytes(owner), now.into()])).await? == 1)
        };
        self.write(write).boxed()
    }

    fn released(&self) -> BoxFuture<'_, ()> {
        tokio::time::sleep(LOOK).boxed()
    }
}

/// [`When`], for a closure that goes to another thread.
#[derive(Clone)]
enum Kept {
    Always,
    Absent,
    Same(Vec<u8>),
    Leased(Uuid),
}

/// The first and the last but one of all names that begin so. A prefix ends with a colon, which has a next character.
fn range(prefix: &str) -> [Value; 2] {
    let mut end = prefix.as_bytes().to_vec();
    if let Some(last) = end.last_mut() {
        *last = last.saturating_add(1);
    }
    [name(prefix), Value::Bytes(end)]
}
