use std::{
    future::Future,
    sync::{Arc, OnceLock},
};

use super::{Container, NoApplication};

static GLOBAL: OnceLock<Container> = OnceLock::new();

tokio::task_local! {
    static CURRENT: Container;
}

/// What facades find where code runs: the container, with the scope it carries.
#[derive(Clone)]
pub struct Ambient(Container);

impl Ambient {
    /// An ambient of this container and its scope.
    pub fn new(container: Container) -> Self {
        Self(container)
    }

    /// The ambient that is in force here, where there is one.
    pub fn capture() -> Option<Self> {
        current().ok().map(Self)
    }

    /// The container.
    pub fn container(&self) -> &Container {
        &self.0
    }
}

/// The container that is in force here: the task's own, else the process's.
///
/// # Errors
/// [`NoApplication`] where there is neither.
pub fn current() -> Result<Container, NoApplication> {
    with_current(Clone::clone)
}

/// Calls `with` with the container that is in force here, without cloning it.
///
/// # Errors
/// [`NoApplication`] where there is none.
#[inline]
pub fn with_current<R>(with: impl FnOnce(&Container) -> R) -> Result<R, NoApplication> {
    // Looked at first, so that `with` is moved into one call alone.
    if CURRENT.try_with(|_| ()).is_ok() {
        return CURRENT.try_with(with).map_err(|_| NoApplication);
    }
    GLOBAL.get().map(with).ok_or(NoApplication)
}

/// The value of type `T` in the scope that is in force here, where there is one.
///
/// # Errors
/// [`NoApplication`] where there is not even an application.
pub(crate) fn in_scope<T: Send + Sync + 'static>() -> Result<Option<Arc<T>>, NoApplication> {
    with_current(|app| app.current_scope().and_then(|scope| scope.get()))
}

/// Runs a future under this ambient.
pub fn enter<F: Future>(ambient: Ambient, future: F) -> impl Future<Output = F::Output> + use<F> {
    CURRENT.scope(ambient.0, future)
}

/// Calls a function under this ambient.
pub fn enter_sync<R>(ambient: Ambient, function: impl FnOnce() -> R) -> R {
    CURRENT.sync_scope(ambient.0, function)
}

/// Makes this the container of the whole process, for code that runs under none of its own. A binary does this
/// once; a test never does, so that a forgotten scope is an error there and not a leak.
///
/// Returns whether it was the first.
pub fn set_global(container: Container) -> bool {
    GLOBAL.set(container).is_ok()
}
