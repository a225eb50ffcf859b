//! Two servers over one database and one Redis, each with a tier of its own before it: neither goes on with what the
//! other has changed. Redis is the test's own, so that it can hang or be taken away.

use std::time::Duration;

use anyhow::{Context, ensure};
use app::{models::UserId, services::UserService};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use crate::support::{ADMIN, Binary, OwnRedis, PASSWORD, Serving, ask};

/// How old a value may be: while Redis works, which tells each server what the other has changed, and after it is gone. The bounds
/// themselves are what is promised, so they are asserted, with room for a machine that is busy: the best of several rounds has to
/// come up to the first, which is many times what is usual, and the second is what a watchdog of three seconds keeps.
const HEARD: Duration = Duration::from_millis(200);
const UNHEARD: Duration = Duration::from_secs(5);

/// What a machine that is busy with other tests has for it. A value's own time is longer, so that it does not end by that.
const DEADLINE: Duration = Duration::from_secs(100);

/// Two servers, one of which changes what the other has.
struct Two {
    one: Serving,
    other: Serving,
    redis: OwnRedis,
    admin: String,
    member: String,
    id: String,
    _binary: Binary,
}

/// What a server answers, which has to be good.
async fn send(server: &Serving, method: &str, path: &str, token: &str, body: Option<Value>) -> anyhow::Result<Value> {
    ask(server.address, method, path, token, body.as_ref()).await?.json()
}

fn text(value: &Value, pointer: &str) -> anyhow::Result<String> {
    Ok(value.pointer(pointer).and_then(Value::as_str).with_context(|| format!("no {pointer}: {value}"))?.to_owned())
}

impl Two {
    async fn start() -> anyhow::Result<Option<Self>> {
        let Some(redis) = OwnRedis::start().await? else { return Ok(None) };
        let binary = Binary::seeded().await?.env("CACHE_STORE", "tiered").env("REDIS_URL", &redis.url());
        let (one, other) = (binary.serve().await?, binary.serve().await?);
        let login = json!({"email": ADMIN, "password": PASSWORD});
        let admin = send(&one, "POST", "/api/v1/auth/login", "", Some(login)).await?;
        let member = json!({"name": "Lucy", "email": "lucy@example.com", "password": PASSWORD});
        let member = send(&one, "POST", "/api/v1/auth/register", "", Some(member)).await?;
        let (admin, id) = (text(&admin, "/token")?, text(&member, "/user/id")?);
        let kept = <dyn UserService>::cached_find(id.parse::<UserId>()?).ttl;
        ensure!(kept > DEADLINE, "its time would end before the test does: {kept:?}");
        Ok(Some(Self { one, other, redis, admin, member: text(&member, "/token")?, id, _binary: binary }))
    }

    /// Gives the member this role alone, on one server.
    async fn give(&self, role: &str) -> anyhow::Result<()> {
        let path = format!("/api/v1/users/{}/roles", self.id);
        send(&self.one, "PUT", &path, &self.admin, Some(json!({"roles": [role]}))).await.map(drop)
    }

    /// The member's role, on the other server.
    async fn role(&self) -> anyhow::Result<String> {
        text(&send(&self.other, "GET", "/api/v1/me", &self.member, None).await?, "/data/roles/0")
    }

    /// Waits until the other server has this role, which one has just given; how long that took.
    async fn until_seen(&self, role: &str) -> anyhow::Result<Duration> {
        let began = Instant::now();
        while self.role().await? != role {
            ensure!(began.elapsed() < DEADLINE, "the other server has an old role, and not `{role}`");
            sleep(Duration::from_millis(1)).await;
        }
        Ok(began.elapsed())
    }

    /// Asks the other server until it asks Redis, or until it need not, as it has what is asked for itself. The role has to be
    /// this one all along.
    async fn until_asked(&self, redis: bool, role: &str) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            let before = self.redis.asked().await?;
            let answered = self.role().await?;
            ensure!(answered == role, "after {:?} the other server has the old role `{answered}`", began.elapsed());
            if (self.redis.asked().await? != before) == redis {
                return Ok(());
            }
            ensure!(began.elapsed() < DEADLINE, "does the other server ask Redis? It is not so: {redis}");
        }
    }

    /// What the other server has meanwhile and afterwards, when Redis has gone.
    async fn outlives(&self, outage: &str) -> anyhow::Result<()> {
        self.give("editor").await?;
        let age = self.until_seen("editor").await?;
        ensure!(
            age < UNHEARD,
            "{outage}: the other server had an old role for {age:?}, and not for {UNHEARD:?} at most"
        );
        // From then on it keeps nothing.
        for role in ["member", "editor"] {
            self.give(role).await?;
            ensure!(self.role().await? == role, "{outage}: the other server has an old role again");
        }
        Ok(())
    }

    /// What the other server has when Redis is back, with what it had, before the one has said what of it is old: that one stands
    /// still.
    async fn is_not_set_back(&self, outage: &str) -> anyhow::Result<()> {
        ensure!(!self.redis.keys(&format!("*:users:{}", self.id)).await?.is_empty(), "{outage}: nothing old is there");
        self.until_asked(true, "editor").await?;
        self.until_asked(false, "editor").await?;
        self.one.signal("CONT").await?;
        self.give("member").await?;
        self.until_seen("member").await.map(drop)
    }
}

#[tokio::test]
async fn a_role_that_one_server_takes_away_is_not_there_on_the_other() -> anyhow::Result<()> {
    let Some(two) = Two::start().await? else { return Ok(()) };
    two.until_asked(false, "member").await?;
    let mut best = DEADLINE;
    for role in ["editor", "member", "editor", "member"] {
        let listeners = two.redis.listeners().await?;
        two.give(role).await?;
        best = best.min(two.until_seen(role).await?);
        // It has heard of it: its tier was not emptied because it heard nothing.
        ensure!(listeners.len() == 2 && two.redis.listeners().await? == listeners, "{listeners:?}");
        two.until_asked(false, role).await?;
    }
    ensure!(best < HEARD, "the other server had an old role for {best:?} at best, and not for {HEARD:?} at most");
    Ok(())
}

#[tokio::test]
async fn where_redis_is_killed_no_server_goes_on_with_what_the_other_has_changed() -> anyhow::Result<()> {
    let Some(mut two) = Two::start().await? else { return Ok(()) };
    two.until_asked(false, "member").await?;
    two.redis.kill()?;
    two.outlives("killed").await?;
    two.one.signal("STOP").await?;
    two.redis.restart().await?;
    two.is_not_set_back("killed").await
}

#[tokio::test]
async fn where_redis_hangs_no_server_goes_on_with_what_the_other_has_changed() -> anyhow::Result<()> {
    let Some(two) = Two::start().await? else { return Ok(()) };
    two.until_asked(false, "member").await?;
    two.redis.signal("STOP")?;
    two.outlives("hanging").await?;
    two.one.signal("STOP").await?;
    two.redis.signal("CONT")?;
    two.is_not_set_back("hanging").await
}
