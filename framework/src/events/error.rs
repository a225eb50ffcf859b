use std::fmt;

use crate::{
    container::ContainerError,
    support::{BoxError, with_causes},
};

/// An event did not reach all its listeners.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EventError {
    /// There is no application to dispatch it in.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// Listeners failed; the others have run all the same.
    #[error("{} of the listeners of `{event}` failed: {}", failures.len(), failures.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Listeners {
        /// The event's name.
        event: String,
        /// Each listener that failed, in the order in which they ran.
        failures: Vec<Failure>,
    },
}

/// A listener that failed.
#[derive(Debug)]
pub struct Failure {
    /// The listener's name.
    pub listener: String,
    /// What it returned, or that it panicked.
    pub error: BoxError,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.listener, with_causes(&*self.error))
    }
}
