use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use futures_util::StreamExt;
use parking_lot::Mutex;
use tokio::{
    sync::Notify,
    task::AbortHandle,
    time::{Instant, sleep, timeout_at},
};
use uuid::Uuid;

use super::{DatabaseDriver, Inner, claim::is_ready};
use crate::{
    container::spawn,
    database::{Connection, DbError, Statement},
};

/// The channel on which PostgreSQL's processes tell each other of what was pushed.
const CHANNEL: &str = "paravel_queue";

/// How long one word stands for all that is pushed after it.
const DEBOUNCE: Duration = Duration::from_millis(10);

/// How long to leave the server alone before the next try to hear it.
const AGAIN: Duration = Duration::from_secs(1);

/// How often to look where nobody tells: a file at hand costs little, a server a round trip.
const LOOK_AT_FILE: Duration = Duration::from_millis(20);
const LOOK_AT_SERVER: Duration = Duration::from_millis(100);

/// How often to look where others do tell, since a word may be lost.
const LOOK_ALL_THE_SAME: Duration = Duration::from_secs(1);

/// Those who wait for something to be pushed, here and in other processes.
#[derive(Default)]
pub(super) struct Wake {
    pushed: Notify,
    telling: Mutex<Telling>,
    listening: Mutex<Listening>,
}

#[derive(Default)]
enum Telling {
    #[default]
    Nothing,
    /// A word is on its way, or has just gone.
    Said,
    /// So it is, and something was pushed since.
    SayAgain,
}

#[derive(Default)]
struct Listening {
    task: Option<AbortHandle>,
    hears: bool,
}

impl Drop for Wake {
    fn drop(&mut self) {
        if let Some(task) = self.listening.get_mut().task.take() {
            task.abort();
        }
    }
}

impl<C: Connection> DatabaseDriver<C> {
    /// Tells whoever waits, here and elsewhere, that something may have become ready.
    pub(super) fn tell(&self) {
        self.inner.wake.pushed.notify_waiters();
        if C::BACKEND != "postgres" {
            return;
        }
        {
            let mut telling = self.inner.wake.telling.lock();
            let begins = matches!(*telling, Telling::Nothing);
            *telling = if begins { Telling::Said } else { Telling::SayAgain };
            if !begins {
                return;
            }
        }
        let driver = self.clone();
        drop(spawn(async move {
            loop {
                // Not in the transaction that pushed: a commit that tells waits for all others that do. Where it is lost, the
                // others look all the same.
                let word = Statement::new(format!("select pg_notify('{CHANNEL}', '')"));
                let said = driver.read(async move |c: &mut C| Ok(c.run(&word).await?)).await;
                if let Err(error) = said {
                    tracing::debug!(%error, "other processes were not told that a job was pushed, and find it when they look");
                }
                sleep(DEBOUNCE).await;
                let mut telling = driver.inner.wake.telling.lock();
                match *telling {
                    Telling::SayAgain => *telling = Telling::Said,
                    _ => return *telling = Telling::Nothing,
                }
            }
        }));
    }

    pub(super) async fn wait_for(&self, queues: &[String], longest: Duration) {
        let deadline = Instant::now() + longest;
        self.listen();
        loop {
            let mut pushed = Box::pin(self.inner.wake.pushed.notified());
            // Before the look, so that what is pushed right after it is heard.
            pushed.as_mut().enable();
            let queues = queues.to_vec();
            // Where the database does not answer, it is asked again after the same pause.
            if let Ok(true) = self.read(async move |c: &mut C| is_ready(c, &queues).await).await {
                return;
            }
            let look = Instant::now() + jittered(self.pause());
            if timeout_at(look.min(deadline), pushed).await.is_ok() || Instant::now() >= deadline {
                return;
            }
        }
    }

    fn pause(&self) -> Duration {
        match C::BACKEND {
            "sqlite" => LOOK_AT_FILE,
            _ if self.inner.wake.listening.lock().hears => LOOK_ALL_THE_SAME,
            _ => LOOK_AT_SERVER,
        }
    }

    /// Begins to hear the others, where the server passes words on.
    fn listen(&self) {
        let mut listening = self.inner.wake.listening.lock();
        if C::BACKEND == "postgres" && listening.task.is_none() {
            listening.task = Some(spawn(listen(Arc::downgrade(&self.inner))).abort_handle());
        }
    }
}

/// Hears the others until the driver is gone. The session may be lost at any time, with the server.
async fn listen<C: Connection>(driver: Weak<Inner<C>>) {
    loop {
        let Some(inner) = driver.upgrade() else { return };
        let heard = inner.db.listen(CHANNEL).await;
        let hears = |inner: &Inner<C>, hears| {
            inner.wake.listening.lock().hears = hears;
            // What was pushed in between was not heard.
            inner.wake.pushed.notify_waiters();
        };
        match heard {
            Ok(Some(mut words)) => {
                hears(&inner, true);
                drop(inner);
                while words.next().await.is_some() {
                    let Some(inner) = driver.upgrade() else { return };
                    inner.wake.pushed.notify_waiters();
                }
                let Some(inner) = driver.upgrade() else { return };
                hears(&inner, false);
            }
            Ok(None) | Err(DbError::Closed) => return,
            Err(error) => {
                tracing::debug!(%error, "jobs of other processes are looked for, since the server cannot be heard")
            }
        }
        sleep(jittered(AGAIN)).await;
    }
}

/// Up to a quarter shorter, so that processes do not look all at once.
fn jittered(pause: Duration) -> Duration {
    let random = u32::from(Uuid::new_v4().as_bytes()[0]);
    pause - pause / 4 * random / 256
}
