use std::{
    future::{Future, poll_fn},
    panic::resume_unwind,
    task::Poll,
};

use futures_util::future::FutureExt;
use tokio::task::JoinHandle;
use tracing::Instrument;

use super::{Ambient, enter, enter_sync};

/// `tokio::spawn` that carries the application along: a bare spawned task has none, because task-locals do not
/// cross a spawn.
#[expect(clippy::disallowed_methods, reason = "the one place that wraps it")]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    match Ambient::capture() {
        Some(ambient) => tokio::spawn(enter(ambient, future)),
        None => tokio::spawn(future),
    }
}

/// `tokio::task::spawn_blocking` that carries the application along.
#[expect(clippy::disallowed_methods, reason = "the one place that wraps it")]
pub fn spawn_blocking<F, R>(function: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    match Ambient::capture() {
        Some(ambient) => tokio::task::spawn_blocking(move || enter_sync(ambient, function)),
        None => tokio::task::spawn_blocking(function),
    }
}

/// Runs a future to its end, although whoever awaits this may go away before. One that never waits costs no task.
pub(crate) async fn outlive<F>(future: F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut future = Some(future.boxed());
    let waits = poll_fn(|context| {
        let waits = future.as_mut().is_some_and(|future| future.poll_unpin(context).is_pending());
        Poll::Ready(future.take().filter(|_| waits))
    });
    let Some(future) = waits.await else { return };
    // What it logs belongs to the request that it came from.
    match spawn(future.in_current_span()).await {
        Err(error) if error.is_panic() => resume_unwind(error.into_panic()),
        // Else the runtime is being shut down.
        _ => {}
    }
}
