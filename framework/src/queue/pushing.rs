use futures_util::future::FutureExt;
use tokio::runtime::Handle;

use super::{Job, JobId, JobOptions, Message, Push, Pushed, Queue, QueueError, handle::failed, sync};
use crate::{
    container::{Ambient, ContainerError, enter_sync, spawn},
    database::{after_commit, apart, in_transaction},
};

impl Queue {
    /// Dispatches a job that may be dispatched again.
    pub(crate) async fn dispatch_with<J: Job>(
        &self,
        job: &J,
        options: &JobOptions,
    ) -> Result<Option<JobId>, QueueError> {
        let message = self.message(job, options)?;
        Ok(self.push_messages(vec![message], options.after_commit).await?.pop().flatten())
    }

    /// Pushes messages; of each, its key, where it was stored.
    pub(super) async fn push_messages(
        &self,
        messages: Vec<Message>,
        after_commit: bool,
    ) -> Result<Vec<Option<JobId>>, QueueError> {
        let ids: Vec<_> = messages.iter().map(|message| message.id).collect();
        let Some(pushed) = self.push(messages.into(), after_commit).await? else {
            return Ok(ids.into_iter().map(Some).collect());
        };
        let stored = ids.into_iter().zip(pushed).map(|(id, pushed)| (pushed == Pushed::Stored).then_some(id));
        Ok(stored.collect())
    }

    /// Pushes, with the commit of the transaction that is open here, where one is; what became of each message, where that is
    /// known yet.
    pub(super) async fn push(&self, push: Push, waits: bool) -> Result<Option<Vec<Pushed>>, QueueError> {
        if !in_transaction() {
            return self.push_now(push).await.map(Some);
        }
        let transactional = self.transactional.as_ref();
        if !waits {
            if transactional.is_some_and(|transactional| transactional.is_queue()) {
                return AtTheEnd::of_the_transaction(self.clone(), push).await.map(|()| None);
            }
            return self.push_now(push).await.map(Some);
        }
        // What is recorded is recorded after the commit.
        #[cfg(feature = "testing")]
        let transactional = transactional.filter(|_| self.faked.get().is_none());
        let push = match transactional {
            Some(transactional) => transactional.take(push),
            None => Some(push),
        };
        let Some(push) = push else { return Ok(None) };
        let queue = self.clone();
        let later = async move {
            let jobs: Vec<_> = push.messages.iter().map(|message| (message.id, message.kind.clone())).collect();
            if let Err(error) = queue.push_now(push).await {
                tracing::error!(%error, ?jobs, "jobs were dispatched in a transaction that is committed, and the queue failed");
            }
        };
        after_commit(later).await.map_err(ContainerError::from)?;
        Ok(None)
    }

    async fn push_now(&self, push: Push) -> Result<Vec<Pushed>, QueueError> {
        #[cfg(feature = "testing")]
        if let Some(fake) = self.faked.get() {
            let count = push.messages.len();
            fake.record(push);
            return Ok(vec![Pushed::Stored; count]);
        }
        if self.sync {
            let count = push.messages.len();
            return sync::run(self, push, None).await.map(|()| vec![Pushed::Stored; count]);
        }
        self.driver.push(push).await.map_err(|error| failed("take a job", error))
    }
}

/// A push that does not wait to see whether the transaction that is open is committed, but for its end: by itself it would wait for the
/// transaction, and that for it.
struct AtTheEnd {
    queue: Queue,
    push: Option<Push>,
    ambient: Option<Ambient>,
    // It may be dropped on a thread of the database's.
    runtime: Handle,
}

impl AtTheEnd {
    async fn of_the_transaction(queue: Queue, push: Push) -> Result<(), QueueError> {
        let mut end = Self { queue, push: Some(push), ambient: Ambient::capture(), runtime: Handle::current() };
        let hook = async move {
            if let Some(push) = end.push.take() {
                pushed(end.queue.clone(), push).await;
            }
        };
        after_commit(hook).await.map_err(ContainerError::from)?;
        Ok(())
    }
}

impl Drop for AtTheEnd {
    /// The transaction is rolled back, and its hooks are dropped.
    fn drop(&mut self) {
        if let (Some(push), Some(ambient)) = (self.push.take(), self.ambient.take()) {
            let _runtime = self.runtime.enter();
            drop(enter_sync(ambient, || spawn(pushed(self.queue.clone(), push))));
        }
    }
}

async fn pushed(queue: Queue, push: Push) {
    let jobs: Vec<_> = push.messages.iter().map(|message| (message.id, message.kind.clone())).collect();
    if let Err(error) = apart(queue.push_now(push).boxed()).await {
        tracing::error!(%error, ?jobs, "jobs were dispatched in a transaction that is over, and the queue failed");
    }
}
