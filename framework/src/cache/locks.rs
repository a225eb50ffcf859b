use std::{collections::HashMap, time::Duration};

use futures_util::future::{BoxFuture, FutureExt, ready};
use parking_lot::Mutex;
use tokio::{sync::Notify, time::Instant};
use uuid::Uuid;

use super::store::{Acquired, LockStore, StoreError};

/// Locks in this process.
#[derive(Default)]
pub(super) struct Locks {
    held: Mutex<HashMap<Box<str>, Held>>,
    released: Notify,
}

struct Held {
    owner: Uuid,
    until: Instant,
}

impl Locks {
    fn try_acquire(&self, name: &str, owner: Uuid, lease: Duration) -> Acquired {
        let mut held = self.held.lock();
        let now = Instant::now();
        if let Some(other) = held.get(name)
            && other.owner != owner
            && other.until > now
        {
            return Acquired::No(other.until - now);
        }
        // An hour that is longer than the clock goes is as good as any.
        let until = now.checked_add(lease).unwrap_or(now + Duration::from_secs(1 << 31));
        held.retain(|_, lock| lock.until > now);
        held.insert(name.into(), Held { owner, until });
        Acquired::Yes
    }

    fn try_release(&self, name: &str, owner: Uuid) -> bool {
        let now = Instant::now();
        let mut held = self.held.lock();
        let ours = held.get(name).is_some_and(|lock| lock.owner == owner && lock.until > now);
        if ours {
            held.remove(name);
            self.released.notify_waiters();
        }
        ours
    }
}

impl LockStore for Locks {
    fn acquire<'a>(
        &'a self,
        name: &'a str,
        owner: Uuid,
        lease: Duration,
    ) -> BoxFuture<'a, Result<Acquired, StoreError>> {
        ready(Ok(self.try_acquire(name, owner, lease))).boxed()
    }

    fn release<'a>(&'a self, name: &'a str, owner: Uuid) -> BoxFuture<'a, Result<bool, StoreError>> {
        ready(Ok(self.try_release(name, owner))).boxed()
    }

    fn released(&self) -> BoxFuture<'_, ()> {
        let mut released = Box::pin(self.released.notified());
        // Before the look that follows, so that a release right after it is heard.
        released.as_mut().enable();
        released
    }
}
