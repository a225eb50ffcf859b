use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use futures_util::future::{BoxFuture, FutureExt};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, sleep_until};
use uuid::Uuid;

use super::store::{
    Acquired, Begin, Begun, Changes, Counted, Fetched, LockStore, Put, Store, StoreError, Usage, Version, When,
};
use crate::{
    container::spawn,
    redis::{Redis, RedisError, Script, Value, cmd, pipe},
};

/// How long a caller that waits for a lock leaves the server alone.
const LOOK: Duration = Duration::from_millis(25);

/// How often it is tried whether changes are heard of, and for how long they are taken to be without having been tried.
const BEAT: Duration = Duration::from_secs(1);
const DEAF: Duration = Duration::from_secs(3);

/// How long to leave the server alone after it could not be listened to.
const PAUSE: Duration = Duration::from_millis(250);

/// How many keys a step of a walk over all keys takes.
const STEP: usize = 1000;

/// Where changes are told.
const CHANNEL: &str = "cache:changes";

static BEGIN: Script = Script::new("cache begin", include_str!("scripts/begin.lua"));
static PUT: Script = Script::new("cache put", include_str!("scripts/put.lua"));
static TAKE: Script = Script::new("cache take", include_str!("scripts/take.lua"));
static COUNT: Script = Script::new("cache count", include_str!("scripts/count.lua"));
static INVALIDATE: Script = Script::new("cache invalidate", include_str!("scripts/invalidate.lua"));
static EXTEND: Script = Script::new("cache extend", include_str!("scripts/extend.lua"));
static ACQUIRE: Script = Script::new("cache acquire", include_str!("scripts/acquire.lua"));
static RELEASE: Script = Script::new("cache release", include_str!("scripts/release.lua"));

/// The cache's store in Redis. What changes a key or a tag says so on a channel in the same step, so that processes which keep
/// values of their own hear of it.
///
/// | key | what |
/// |---|---|
/// | `cache:k:` | an entry |
/// | `cache:t:` | a tag's version; where there is none, all that had the tag is old |
/// | `cache:l:` | the lease of a key that is being loaded |
/// | `cache:x:` | a lock |
pub struct RedisStore {
    redis: Arc<Redis>,
}

/// What is told on the channel.
#[derive(Serialize, Deserialize)]
enum Change {
    Key(String),
    Tags(Vec<String>),
    /// All that begins so.
    All(String),
    /// Somebody tries whether they hear themselves.
    Beat(Uuid),
}

impl Change {
    fn to_bytes(&self) -> Vec<u8> {
        // Of strings and bytes alone: it does not fail.
        rmp_serde::to_vec(self).unwrap_or_default()
    }
}

fn entry(key: &str) -> String {
    format!("cache:k:{key}")
}

fn tag(tag: &str) -> String {
    format!("cache:t:{tag}")
}

fn lease(key: &str) -> String {
    format!("cache:l:{key}")
}

fn lock(name: &str) -> String {
    format!("cache:x:{name}")
}

/// Whole milliseconds; -1 for ever.
fn milliseconds(ttl: Option<Duration>) -> i64 {
    ttl.map_or(-1, |ttl| i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX / 2).min(i64::MAX / 2))
}

/// A lease that lasts: the server takes no time of 0.
fn at_least_one(lasts: Duration) -> i64 {
    milliseconds(Some(lasts)).max(1)
}

fn failed(error: RedisError) -> StoreError {
    match &error {
        RedisError::Command { .. } | RedisError::Script { .. } if !error.is_transient() => StoreError::refused(error),
        RedisError::NotShared { .. } => StoreError::refused(error),
        _ => StoreError::unavailable(error),
    }
}

fn version(bytes: Vec<u8>) -> Option<Version> {
    Version::try_from(bytes).ok()
}

impl RedisStore {
    /// A store on this server, under its prefix.
    pub fn new(redis: Arc<Redis>) -> Self {
        Self { redis }
    }

    fn channel(&self) -> String {
        self.redis.key(CHANNEL)
    }

    /// Tells everybody that all that begins so is gone.
    async fn tell_all(&self, prefix: &str) -> Result<(), StoreError> {
        let told = self.redis.publish(CHANNEL, Change::All(prefix.to_owned()).to_bytes()).await;
        told.map(drop).map_err(failed)
    }

    /// Takes out all keys of these kinds that begin so.
    async fn unlink(&self, kinds: &str, prefix: &str) -> Result<(), StoreError> {
        let mut cursor = 0;
        loop {
            let (next, keys) = self.scan(kinds, prefix, cursor).await?;
            if !keys.is_empty() {
                self.redis.run(cmd("UNLINK").arg(keys)).await.map_err(failed)?;
            }
            cursor = next;
            if cursor == 0 {
                return Ok(());
            }
        }
    }

    /// The next keys of these kinds that begin so, after where the cursor was; and where it is now, 0 at the end.
    async fn scan(&self, kinds: &str, prefix: &str, cursor: u64) -> Result<(u64, Vec<Vec<u8>>), StoreError> {
        let pattern = format!("{}[{kinds}]:{}*", escaped(&self.redis.key("cache:")), escaped(prefix));
        let mut scan = cmd("SCAN");
        scan.arg(cursor).arg("MATCH").arg(&pattern).arg("COUNT").arg(STEP);
        self.redis.query(&scan).await.map_err(failed)
    }
}

/// Text as a pattern that it alone matches.
fn escaped(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '*' | '?' | '[' | ']' | '\\' | '^' | '-') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern
}

impl Store for RedisStore {
    fn fetch<'a>(&'a self, keys: &'a [String], tags: &'a [String]) -> BoxFuture<'a, Result<Fetched, StoreError>> {
        async move {
            if keys.is_empty() && tags.is_empty() {
                return Ok(Fetched::default());
            }
            let mut get = cmd("MGET");
            get.arg(keys.iter().map(|key| self.redis.key(&entry(key))).collect::<Vec<_>>());
            get.arg(tags.iter().map(|name| self.redis.key(&tag(name))).collect::<Vec<_>>());
            let mut found: Vec<Option<Vec<u8>>> = self.redis.query(&get).await.map_err(failed)?;
            let versions = found.split_off(keys.len().min(found.len()));
            let tags = versions.into_iter().map(|bytes| bytes.and_then(version)).collect();
            Ok(Fetched { entries: found, tags })
        }
        .boxed()
    }

    fn begin<'a>(&'a self, begin: Begin<'a>) -> BoxFuture<'a, Result<Begun, StoreError>> {
        async move {
            let Begin { key, tags, ttl, lease: wanted } = begin;
            let (owner, lasts) = match &wanted {
                Some((owner, lasts)) => (owner.as_bytes().as_slice(), at_least_one(*lasts)),
                None => ([].as_slice(), 0),
            };
            let mut call = self.redis.script(&BEGIN).key(&entry(key)).key(&lease(key));
            call = call.arg(owner).arg(lasts).arg(milliseconds(ttl));
            for name in tags {
                call = call.key(&tag(name)).arg(Uuid::new_v4().as_bytes().as_slice());
            }
            let (entry, leased, versions): (Option<Vec<u8>>, bool, Vec<Vec<u8>>) =
                call.query().await.map_err(failed)?;
            let tags: Option<Vec<_>> = versions.into_iter().map(version).collect();
            let tags =
                tags.ok_or_else(|| StoreError::refused("a tag's version is none: it is another program's key"))?;
            Ok(Begun { entry, leased, tags })
        }
        .boxed()
    }

    fn put<'a>(&'a self, put: Put<'a>) -> BoxFuture<'a, Result<bool, StoreError>> {
        async move {
            let Put { key, value, ttl, when } = put;
            let (word, expected) = match when {
                When::Always => ("always", Vec::new()),
                When::Absent => ("absent", Vec::new()),
                When::Same(same) => ("same", same.to_vec()),
                When::Leased(owner) => ("leased", owner.as_bytes().to_vec()),
            };
            let call = self.redis.script(&PUT).key(&entry(key)).key(&lease(key)).arg(value).arg(milliseconds(ttl));
            let call = call.arg(word).arg(expected).arg(self.channel()).arg(Change::Key(key.to_owned()).to_bytes());
            call.query().await.map_err(failed)
        }
        .boxed()
    }

    fn take<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<Option<Vec<u8>>, StoreError>> {
        async move {
            let call = self.redis.script(&TAKE).key(&entry(key)).key(&lease(key));
            call.arg(self.channel()).arg(Change::Key(key.to_owned()).to_bytes()).query().await.map_err(failed)
        }
        .boxed()
    }

    fn count<'a>(&'a self, key: &'a str, by: i64, ttl: Option<Duration>) -> BoxFuture<'a, Result<Counted, StoreError>> {
        async move {
            let call = self.redis.script(&COUNT).key(&entry(key)).key(&lease(key)).arg(by).arg(milliseconds(ttl));
            let call = call.arg(self.channel()).arg(Change::Key(key.to_owned()).to_bytes());
            let (what, sum, left): (String, String, i64) = call.query().await.map_err(failed)?;
            Ok(match (&*what, sum.parse()) {
                ("sum", Ok(sum)) => {
                    Counted::Sum { sum, expires_in: u64::try_from(left).ok().map(Duration::from_millis) }
                }
                ("overflow", _) => Counted::Overflow,
                _ => Counted::Other,
            })
        }
        .boxed()
    }

    fn invalidate<'a>(&'a self, tags: &'a [String]) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            let mut call = self.redis.script(&INVALIDATE);
            for name in tags {
                call = call.key(&tag(name));
            }
            call.arg(self.channel()).arg(Change::Tags(tags.to_vec()).to_bytes()).run().await.map_err(failed)
        }
        .boxed()
    }

    fn flush<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            // Before and after: nothing that is elsewhere is given out for as long as a walk over all keys takes.
            self.tell_all(prefix).await?;
            // First what is being loaded, so that none of it comes behind the walk.
            self.unlink("l", prefix).await?;
            self.unlink("kt", prefix).await?;
            self.tell_all(prefix).await
        }
        .boxed()
    }

    fn extend<'a>(&'a self, key: &'a str, owner: Uuid, lasts: Duration) -> BoxFuture<'a, Result<bool, StoreError>> {
        async move {
            let call = self.redis.script(&EXTEND).key(&lease(key)).arg(owner.as_bytes().as_slice());
            call.arg(milliseconds(Some(lasts))).query().await.map_err(failed)
        }
        .boxed()
    }

    fn usage<'a>(&'a self, prefix: &'a str) -> BoxFuture<'a, Result<Usage, StoreError>> {
        async move {
            let (mut entries, mut bytes, mut cursor) = (0, 0, 0);
            loop {
                let (next, keys) = self.scan("k", prefix, cursor).await?;
                if !keys.is_empty() {
                    let mut lengths = pipe();
                    for key in &keys {
                        lengths.strlen(key);
                    }
                    let lengths: Vec<u64> = self.redis.query(&lengths).await.map_err(failed)?;
                    entries += u64::try_from(keys.len()).unwrap_or(u64::MAX);
                    bytes += lengths.iter().sum::<u64>();
                }
                cursor = next;
                if cursor == 0 {
                    return Ok(Usage { entries, bytes: Some(bytes) });
                }
            }
        }
        .boxed()
    }

    fn follow(&self, prefix: &str, changes: Weak<dyn Changes>) -> bool {
        spawn(follow(Arc::clone(&self.redis), prefix.to_owned(), changes));
        true
    }
}

impl LockStore for RedisStore {
    fn acquire<'a>(
        &'a self,
        name: &'a str,
        owner: Uuid,
        lasts: Duration,
    ) -> BoxFuture<'a, Result<Acquired, StoreError>> {
        async move {
            let call = self.redis.script(&ACQUIRE).key(&lock(name)).arg(owner.as_bytes().as_slice());
            let left: Value = call.arg(at_least_one(lasts)).query().await.map_err(failed)?;
            Ok(match left {
                Value::Int(left) => Acquired::No(Duration::from_millis(u64::try_from(left).unwrap_or(0))),
                _ => Acquired::Yes,
            })
        }
        .boxed()
    }

    fn release<'a>(&'a self, name: &'a str, owner: Uuid) -> BoxFuture<'a, Result<bool, StoreError>> {
        let call = self.redis.script(&RELEASE).key(&lock(name)).arg(owner.as_bytes().as_slice());
        async move { call.query().await.map_err(failed) }.boxed()
    }

    fn released(&self) -> BoxFuture<'_, ()> {
        sleep(LOOK).boxed()
    }
}

/// Says that nothing is told any more, whichever way that comes: by a panic, or with the runtime.
struct Following(Weak<dyn Changes>);

impl Drop for Following {
    fn drop(&mut self) {
        if let Some(changes) = self.0.upgrade() {
            changes.over();
        }
    }
}

/// Tells changes for as long as somebody wants to hear of them, and whether they are heard of at all.
async fn follow(redis: Arc<Redis>, prefix: String, changes: Weak<dyn Changes>) {
    let _following = Following(Weak::clone(&changes));
    let hears = |heard| changes.upgrade().map(|told| told.heard(heard));
    let mut is_away = false;
    loop {
        match redis.subscribe(CHANNEL).await {
            Ok(mut channel) => {
                if hears(true).is_none() {
                    return;
                }
                listen(&redis, &mut channel, &prefix, &changes).await;
                is_away = true;
                hears(false);
            }
            // Who may not listen can use what is there all the same; said once, because it ends what is being loaded.
            Err(_) if !is_away && redis.ping().await.is_err() => {
                is_away = true;
                hears(false);
            }
            Err(_) => {}
        }
        if changes.strong_count() == 0 {
            return;
        }
        sleep(PAUSE).await;
    }
}

/// Passes on what comes, until nothing can be relied on to come.
async fn listen(redis: &Redis, channel: &mut crate::redis::Subscription, prefix: &str, changes: &Weak<dyn Changes>) {
    let (me, mut beat, mut deaf) = (Uuid::new_v4(), interval(BEAT), Instant::now() + DEAF);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let tries = async {
        loop {
            beat.tick().await;
            // Where this fails, nothing comes.
            let _ = redis.publish(CHANNEL, Change::Beat(me).to_bytes()).await;
        }
    };
    tokio::pin!(tries);
    loop {
        let message = tokio::select! {
            message = channel.next() => message,
            () = sleep_until(deaf) => return,
            () = &mut tries => return,
        };
        let (Some(message), Some(changes)) = (message, changes.upgrade()) else { return };
        match rmp_serde::from_slice(&message.payload) {
            Ok(Change::Key(key)) if key.starts_with(prefix) => changes.key(&key),
            Ok(Change::Tags(tags)) => changes.tags(&tags),
            Ok(Change::All(all)) if all.starts_with(prefix) || prefix.starts_with(&all) => changes.all(),
            Ok(Change::Beat(whose)) if whose == me => deaf = Instant::now() + DEAF,
            Ok(_) => {}
            // Another version of the toolkit tells something that this one does not know.
            Err(_) => changes.all(),
        }
    }
}
