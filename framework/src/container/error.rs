use std::sync::Arc;

use super::Key;
use crate::support::BoxError;

/// Something was asked of the application where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "no application is running here: call this inside a request, a command, a listener or `TestApp::run`, and start \
     tasks with `paravel::spawn` or `paravel::spawn_blocking`, which carry the application along"
)]
pub struct NoApplication;

/// A service could not be made.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ContainerError {
    /// There is no application here.
    #[error(transparent)]
    NoApplication(#[from] NoApplication),
    /// Nothing is bound to the key.
    #[error("nothing is bound to `{key}`: bind it in a provider's `register`")]
    NotBound {
        /// The key.
        key: Key,
    },
    /// A scoped service was asked for outside any request, job or command.
    #[error(
        "`{key}` is scoped to one request, job or command, and there is none here: run this inside `Container::scope`"
    )]
    NoScope {
        /// The key.
        key: Key,
    },
    /// A factory asked the container, behind the graph's back, for what is being made already.
    #[error("`{key}` is being made already: {}", path.iter().map(Key::to_string).collect::<Vec<_>>().join(" -> "))]
    Cycle {
        /// The key asked for again.
        key: Key,
        /// From that key back to it.
        path: Vec<Key>,
    },
    /// A singleton's factory asked the container, behind the graph's back, for a scoped service.
    #[error(
        "`{key}` is scoped, and a singleton that is being made would keep it: {}",
        path.iter().map(Key::to_string).collect::<Vec<_>>().join(" -> ")
    )]
    Captive {
        /// The scoped key.
        key: Key,
        /// From the singleton to that key.
        path: Vec<Key>,
    },
    /// A factory returned an error. Its slot stays empty, and the next caller tries again.
    #[error("the factory of `{key}` failed: {source}")]
    Failed {
        /// The key.
        key: Key,
        /// What the factory returned.
        source: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// A factory panicked. Its slot stays empty, and the next caller tries again.
    #[error("the factory of `{key}` panicked: {message}")]
    Panicked {
        /// The key.
        key: Key,
        /// The panic's message.
        message: String,
    },
}

impl ContainerError {
    pub(super) fn failed(key: Key, source: BoxError) -> Self {
        Self::Failed { key, source: Arc::from(source) }
    }
}
