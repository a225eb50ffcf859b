//! The queues in Redis: how a test gets its own, and what else may befall them than what the suite asks of every driver.

mod claims;
mod faults;
mod relay;
mod strange;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::future::FutureExt;
use paravel::{
    queue::{Driver, RedisDriver},
    redis::{Redis, cmd},
    support::{FakeClock, Timestamp},
};

use parking_lot::Mutex;

use super::Stand;
use crate::redis::shared;

/// Brings the end of workers' lives nearer, on the server's clock.
const LAPSE: &str = "for _, worker in ipairs(redis.call('SMEMBERS', KEYS[1] .. 'workers')) do
    local key = KEYS[1] .. 'w:' .. worker
    local left = redis.call('PTTL', key) - ARGV[1]
    if left > 0 then redis.call('PEXPIRE', key, left) else redis.call('DEL', key) end
end";

/// Queues of the test's own on the server that tests share; `None`, which is said, where there is none.
pub fn stand() -> Option<Stand> {
    shared().map(|redis| on(&redis))
}

/// Queues on this server.
pub fn on(redis: &Redis) -> Stand {
    let clock = Arc::new(FakeClock::at(Timestamp::from_unix(1_700_000_000)));
    let passed = Arc::<Mutex<Duration>>::default();
    let elapsed = Arc::clone(&passed);
    let elapsed = move || Instant::now() + *elapsed.lock();
    let driver = Arc::new(RedisDriver::timed_by(Arc::new(redis.clone()), Arc::clone(&clock) as _, elapsed));
    let (looks, redis) = (Arc::clone(&driver), redis.clone());
    let lapse = move |by: Duration| {
        let (looks, redis, passed) = (Arc::clone(&looks), redis.clone(), Arc::clone(&passed));
        async move {
            // Who has only begun to look takes nobody for dead.
            if passed.lock().is_zero() {
                looks.tend(&[]).await.unwrap();
                *passed.lock() = Duration::from_secs(6);
            }
            let by = u64::try_from(by.as_millis()).unwrap();
            redis.run(cmd("EVAL").arg(LAPSE).arg(1).arg(redis.key("{queue}:")).arg(by)).await.unwrap();
        }
        .boxed()
    };
    Stand { driver, clock, in_transaction: |_, _| {}, lapse: Arc::new(lapse), _kept: Arc::new(()) }
}
