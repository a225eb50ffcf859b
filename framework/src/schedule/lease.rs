use std::time::Duration;

use tokio::{sync::oneshot, task::JoinHandle, time::timeout};

use crate::{
    cache::{CacheError, Lock},
    container::spawn,
};

/// How often it is said of a lock that its owner is still there: several times in a lease.
const BEAT: Duration = Duration::from_secs(5);

/// A lock that is held for as long as this is there, however long that is. Where it is dropped without
/// [`release`](Self::release), the lock falls open when its lease is over.
pub(super) struct Held {
    lock: Lock,
    stop: oneshot::Sender<()>,
    beating: JoinHandle<()>,
}

impl Held {
    /// Takes a lock, where nobody has it.
    pub(super) async fn take(lock: Lock, task: &str) -> Result<Option<Self>, CacheError> {
        if !lock.acquire().await? {
            return Ok(None);
        }
        let (stop, stopped) = oneshot::channel();
        // A task of its own, which goes on where the work keeps its thread to itself.
        let beating = spawn(beat(lock.clone(), task.to_owned(), stopped));
        Ok(Some(Self { lock, stop, beating }))
    }

    /// Gives the lock back.
    pub(super) async fn release(self, task: &str) {
        drop(self.stop);
        // A beat that was on its way would take the lock anew.
        let _ = self.beating.await;
        if let Err(error) = self.lock.release().await {
            tracing::warn!(task, %error, "a task's lock could not be given back, and falls open when its lease is over");
        }
    }
}

/// Begins the lease anew again and again, until `stopped`.
async fn beat(lock: Lock, task: String, mut stopped: oneshot::Receiver<()>) {
    while timeout(BEAT, &mut stopped).await.is_err() {
        match lock.acquire().await {
            Ok(true) => {}
            Ok(false) => tracing::error!(task, "a task that runs has lost its lock: it may run elsewhere, too"),
            Err(error) => tracing::warn!(task, %error, "it could not be said of a task that it still runs"),
        }
    }
}
