//! The queues in Redis.

mod admin;
mod answer;
mod batches;
mod failed;
mod keeps;
mod pack;
mod scripts;
mod tend;
mod turn;
mod wake;
mod wire;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::{BoxFuture, FutureExt};
use uuid::Uuid;

use super::{Beat, Driver, DriverError, Durability, Message, Orders, Push, Pushed, QueueAdmin, Tended, Turn, Turned};
use crate::{
    redis::{Invocation, Redis, Script, Value},
    support::Clock,
};
use answer::failed;
use keeps::Keeps;
use pack::Pack;
use scripts::{ASIDE, BEAT, LEAVE, LOOK, PUSH, TURN};
use tend::Tender;
use turn::{Hearing, Odd};
use wake::Wake;

/// What all keys begin with, under the application's prefix. A script touches several queues, so that all are in one slot.
const BASE: &str = "{queue}:";

/// Where queues are named in which something has become ready.
const WAKE: &str = "{queue}:wake";

/// How much a script moves at most before others get their turn.
const PAGE: u64 = 1000;

/// What a message takes, about, in bytes.
const ABOUT: usize = 256;

/// The queues in Redis 7.0 or newer, as streams.
///
/// Under `REDIS_PREFIX`:
///
/// | key | what |
/// |---|---|
/// | `{queue}:s0:` `s1:` `s2:` | a queue's stream of high, normal and low priority: what is ready, and what runs |
/// | `{queue}:later:` | what is scheduled in a queue, by the moment it is due |
/// | `{queue}:failed`, `failures` | what failed for good, and when |
/// | `{queue}:u:` | who has a unique key |
/// | `{queue}:b:`, `batches`, `ended` | a batch, all of them, and when those ended that have |
/// | `{queue}:w:`, `workers`, `turns` | a worker that is alive, those that may hold something, and what each claimed last |
/// | `{queue}:queues`, `paused`, `restart`, `sequence` | which there are, which are paused, when workers were told to end, a count |
///
/// # What holds
///
/// - **An entry is claimed once.** What goes back is added anew, so who has an entry is all that an end is held against: one that
///   somebody else has, or nobody, is stale.
/// - **A claim whose answer was lost goes back** with the worker's next turn, because nobody would run it.
/// - **Whether a worker is alive is told by the server's clock**, as the life of a key that each beat renews; when a message is due,
///   or a unique key free, by the application's own. Whoever looks for the dead notices where the server's clock has jumped, or the
///   server was away, and leaves the living time for another beat. So does whoever begins to look, who cannot know.
/// - **What is pushed together is one script**, during which the server does nothing else: about 2 ms for 1,000 messages. Push many
///   in parts, each of which takes much less than `REDIS_TIMEOUT`.
/// - **At `maxmemory` it drains.** With `noeviction` Redis refuses what is pushed then; workers live, claim and end jobs as before,
///   and what comes after a job is pushed all the same.
/// - **A stored message is as safe as the server's settings make it**: see [`durability`](Driver::durability).
pub struct RedisDriver {
    redis: Arc<Redis>,
    clock: Arc<dyn Clock>,
    hearing: Hearing,
    wake: Wake,
    tender: Tender,
    keeps: Keeps,
}

impl RedisDriver {
    /// The queues on this server, under its prefix, with this clock.
    pub fn new(redis: Arc<Redis>, clock: Arc<dyn Clock>) -> Self {
        Self::timed_by(redis, clock, Instant::now)
    }

    /// [`new`](Self::new), for a test that moves the time which passes, too.
    pub fn timed_by(
        redis: Arc<Redis>,
        clock: Arc<dyn Clock>,
        elapsed: impl Fn() -> Instant + Send + Sync + 'static,
    ) -> Self {
        redis.mark_in_use();
        let wake = Wake::new(Arc::clone(&redis), WAKE);
        let tender = Tender::new(elapsed);
        Self { redis, clock, wake, hearing: Hearing::default(), tender, keeps: Keeps::default() }
    }

    /// A call of a script, with what each of them takes.
    fn call(&self, script: &'static Script) -> Invocation<'_> {
        self.redis.script(script).key(BASE).arg(wire::micros(self.clock.now()))
    }

    /// Puts with the failed jobs what a worker has claimed and cannot read.
    async fn put_aside(&self, worker: Uuid, odd: &[Odd], queues: &[String]) {
        if odd.is_empty() {
            return;
        }
        let mut call = self.call(&ASIDE).arg(worker.to_string()).arg(odd.len());
        for Odd { entry, begins, why } in odd {
            tracing::error!(entry, why, "a job in Redis cannot be read, and is put with the failed jobs");
            call = call.arg(entry).arg(&begins[..]).arg(why);
        }
        if let Err(error) = call.arg(queues).run().await {
            tracing::error!(%error, "it stays with this worker until that ends");
        }
    }

    /// Whether one of these has something; it has, perhaps, where that cannot be told.
    async fn has_something(&self, queues: &[String]) -> bool {
        self.call(&LOOK).arg(queues).query().await.unwrap_or(true)
    }
}

impl Driver for RedisDriver {
    fn push(&self, push: Push) -> BoxFuture<'_, Result<Vec<Pushed>, DriverError>> {
        async move {
            let push = push.begin(self.clock.now());
            let mut pack = Pack::with_capacity(ABOUT * push.messages.len());
            wire::push(&mut pack, &push);
            let pushed: Vec<u8> = self.call(&PUSH).arg(pack.finish()).query().await.map_err(failed)?;
            Ok(pushed.iter().map(|stored| if *stored == b'1' { Pushed::Stored } else { Pushed::Duplicate }).collect())
        }
        .boxed()
    }

    fn turn<'a>(&'a self, turn: Turn<'a>) -> BoxFuture<'a, Result<Turned, DriverError>> {
        async move {
            let Turn { worker, ends, queues, most } = turn;
            if ends.is_empty() && (most == 0 || queues.is_empty()) {
                return Ok(Turned::default());
            }
            let ends = turn::ends(ends, self.clock.now())?;
            if most == 0 || queues.is_empty() {
                let call = self.call(&TURN).arg(0).arg("").arg(0).arg(0).arg(ends);
                return Ok(turn::turned(turn, call.query().await.map_err(failed)?)?.0);
            }
            let numbers = self.hearing.of(worker);
            let mut numbers = numbers.lock().await;
            numbers.sent += 1;
            let heard = self.wake.heard();
            let call = self.call(&TURN).arg(most).arg(worker.to_string()).arg(numbers.sent).arg(numbers.heard);
            let answer: Value = call.arg(ends).arg(queues).query().await.map_err(failed)?;
            let (turned, odd) = turn::turned(turn, answer)?;
            numbers.heard = numbers.sent;
            self.put_aside(worker, &odd, queues).await;
            if turned.claimed.len() < most {
                self.wake.were_empty(heard, queues);
            }
            Ok(turned)
        }
        .boxed()
    }

    fn beat<'a>(&'a self, beat: Beat<'a>) -> BoxFuture<'a, Result<Orders, DriverError>> {
        async move {
            let worker = beat.worker.to_string();
            let restart = if beat.lives.is_zero() {
                self.hearing.forget(beat.worker);
                loop {
                    let call = self.call(&LEAVE).arg(&worker).arg(PAGE);
                    let (back, restart): (u64, Value) = call.query().await.map_err(failed)?;
                    if back < PAGE {
                        break restart;
                    }
                }
            } else {
                self.keeps.warn_once(&self.redis).await;
                let lives = u64::try_from(beat.lives.as_millis()).unwrap_or(u64::MAX).clamp(1, 1 << 40);
                self.call(&BEAT).arg(&worker).arg(lives).arg(beat.status).query().await.map_err(failed)?
            };
            Ok(Orders { restart: answer::maybe(restart)?.map(wire::moment) })
        }
        .boxed()
    }

    fn tend<'a>(&'a self, queues: &'a [String]) -> BoxFuture<'a, Result<Tended, DriverError>> {
        self.tended(queues).boxed()
    }

    fn wait<'a>(&'a self, queues: &'a [String], longest: Duration) -> BoxFuture<'a, ()> {
        self.wake.wait(queues, longest, move || self.has_something(queues)).boxed()
    }

    fn durability(&self) -> BoxFuture<'_, Result<Durability, DriverError>> {
        async { self.keeps.durability(&self.redis).await.map_err(failed) }.boxed()
    }

    fn admin(&self) -> &dyn QueueAdmin {
        self
    }
}
