use std::{future::Future, time::Duration};

use tokio::{sync::oneshot, task::JoinHandle};

use super::{Queue, Worker, WorkerLimits, WorkerReport};
use crate::container::{Container, ContainerError, spawn};

/// As good as for ever: whoever stops it says when it is enough.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// A worker beside what a command does, of queues that are in the memory of its process: no other would ever run what is dispatched
/// there.
pub(crate) struct Aside {
    app: Container,
    stop: oneshot::Sender<()>,
    at_once: oneshot::Sender<()>,
    working: JoinHandle<WorkerReport>,
}

impl Aside {
    /// Begins to work, where the queues are in memory.
    pub(crate) fn begin(app: &Container) -> Result<Option<Self>, ContainerError> {
        let queue = app.make::<Queue>()?;
        if !queue.is_in_memory() || queue.is_sync() {
            return Ok(None);
        }
        let ((stop, stopped), (at_once, ended)) = (oneshot::channel(), oneshot::channel());
        let worker = Worker::of_application(app)?.grace(PATIENCE);
        let working = worker.run_until(async { drop(stopped.await) }, async { drop(ended.await) });
        Ok(Some(Self { app: app.clone(), stop, at_once, working: spawn(working) }))
    }

    /// Works until there is nothing left that could be begun with, or until `enough` is ready.
    pub(crate) async fn finish(self, enough: impl Future<Output = ()>) -> Result<(), ContainerError> {
        let Self { app, stop, at_once, mut working } = self;
        tokio::pin!(enough);
        // What runs goes on to its end; what waits is left to a worker that ends when there is nothing any more.
        let _ = stop.send(());
        tokio::select! {
            biased;
            _ = &mut working => {
                let limits = WorkerLimits { when_empty: true, ..WorkerLimits::default() };
                // Its own grace would come on top of what was said to be enough.
                Worker::of_application(&app)?.grace(Duration::ZERO).limits(limits).run(enough).await;
            }
            () = &mut enough => {
                let _ = at_once.send(());
                let _ = working.await;
            }
        }
        Ok(())
    }
}
