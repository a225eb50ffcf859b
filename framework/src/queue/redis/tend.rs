//! What has become due, and what the dead have left behind.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::{
    super::{DriverError, Tended},
    PAGE, RedisDriver,
    answer::failed,
    scripts::TEND,
    wire,
};

/// By how much more than time has passed the server's clock may have gone on.
const JUMP: Duration = Duration::from_secs(2);

/// How long the server may have been silent: the living beat as little as this one looked for the dead.
const SILENCE: Duration = Duration::from_secs(8);

/// How long the living have to beat again after either, which cut their lives short.
const SPARED: Duration = Duration::from_secs(5);

/// How many pages are moved before others get their turn.
const PAGES: u64 = 4;

/// Watches the server, by whose clock workers live, with a clock that is never set.
pub(super) struct Tender {
    seen: Mutex<Seen>,
    elapsed: Box<dyn Fn() -> Instant + Send + Sync>,
}

#[derive(Default)]
struct Seen {
    // What the server's clock said, in microseconds, and when.
    last: Option<(i64, Instant)>,
    spared: Option<Instant>,
}

impl Tender {
    pub(super) fn new(elapsed: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        Self { seen: Mutex::default(), elapsed: Box::new(elapsed) }
    }

    /// Whether the dead can be told from the living, by what the server's clock says now.
    fn note(&self, server: i64) -> bool {
        let now = (self.elapsed)();
        let mut seen = self.seen.lock();
        match seen.last.replace((server, now)) {
            // Whether the server was away until now is not known.
            None => seen.spared = Some(now + SPARED),
            Some((then, at)) => {
                let passed = i64::try_from((now - at + JUMP).as_micros()).unwrap_or(i64::MAX);
                if now - at > SILENCE || server > then.saturating_add(passed) {
                    tracing::warn!(
                        "Redis was away, or its clock has jumped: workers have time to say that they are alive"
                    );
                    seen.spared = Some(now + SPARED);
                }
            }
        }
        seen.spared.is_none_or(|until| until <= now)
    }
}

impl RedisDriver {
    pub(super) async fn tended(&self, queues: &[String]) -> Result<Tended, DriverError> {
        let (mut tended, mut tells) = (Tended::default(), false);
        // What is due, and the server's time; then the dead, where that says which they are.
        for _ in 0..PAGES {
            let (due, next) = self.make_due(queues, &mut tells).await?;
            (tended.due, tended.next) = (tended.due + due, next);
            if due < PAGE {
                break;
            }
        }
        while tells {
            let (_, rescued, ..): Found = self.call(&TEND).arg(PAGE).arg(1).query().await.map_err(failed)?;
            tended.rescued += rescued;
            // What is left then is found the next time.
            tells = rescued == PAGE && tended.rescued < PAGES * PAGE;
        }
        Ok(tended)
    }

    /// Makes ready a page of what is due; how much that was, and in how long the next is. Notes whether the dead can be told.
    async fn make_due(&self, queues: &[String], tells: &mut bool) -> Result<(u64, Option<Duration>), DriverError> {
        let call = self.call(&TEND).arg(PAGE).arg(0).arg(queues);
        let (due, _, next, server): Found = call.query().await.map_err(failed)?;
        *tells = self.tender.note(server);
        let now = wire::micros(self.clock.now());
        let wait = |next: i64| Duration::from_micros(u64::try_from(next - now).unwrap_or_default());
        Ok((due, next.map(wait)))
    }
}

/// How much became due, how much was left by the dead, when the next becomes due, and the server's time.
type Found = (u64, u64, Option<i64>, i64);

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn after_the_server_was_away_or_its_clock_has_jumped_the_living_have_time_to_beat() {
        let (start, passed) = (Instant::now(), Arc::new(Mutex::new(Duration::ZERO)));
        let elapsed = Arc::clone(&passed);
        let tender = Tender::new(move || start + *elapsed.lock());
        let tells = |second: u64, server: i64| {
            *passed.lock() = Duration::from_secs(second);
            tender.note(server)
        };
        assert!(!tells(0, 0), "it may have been away until now");
        assert!(!tells(4, 4_000_000));
        assert!(tells(5, 5_000_000));
        assert!(tells(6, 7_900_000), "it is only a little fast");
        assert!(!tells(7, 3_600_000_000));
        assert!(!tells(8, 3_601_000_000));
        assert!(tells(13, 3_606_000_000));
        assert!(tells(14, 1_000_000), "back, and lives last longer");
        assert!(!tells(29, 16_000_000), "it was away");
        assert!(tells(34, 21_000_000));
    }
}
