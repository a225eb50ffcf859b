use std::future::Future;

use tokio::task::JoinHandle;

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
