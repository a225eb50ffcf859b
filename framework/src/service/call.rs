use std::fmt;

use futures_util::future::BoxFuture;

use super::{MethodInfo, ServiceError};

/// One call of a service's method, on its way through a [`Decorator`](super::Decorator).
pub struct Call<'a> {
    method: &'static MethodInfo,
    run: &'a mut dyn Run,
}

/// The typed side of a call, which a decorator does not see.
pub(super) trait Run: Send {
    /// Writes the arguments, while they are there.
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;

    /// Calls what is inside, and keeps its result.
    fn proceed(&mut self) -> BoxFuture<'_, Result<Outcome, ServiceError>>;
}

/// What came of a call. The value itself is not here: it goes back to the caller untouched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The method returned, and no error.
    Done,
    /// It returned an error.
    Failed(Failure),
}

/// An error that a service's method returned.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure {
    /// What its `Display` says; the name of its type, where it has none.
    pub text: String,
    /// Whether the same call may work a moment later. Known of errors that implement [`Transient`](super::Transient), and
    /// false of others.
    pub transient: bool,
}

impl Outcome {
    /// The outcome of a call that returned an error.
    pub fn failed(text: impl Into<String>, transient: bool) -> Self {
        Self::Failed(Failure { text: text.into(), transient })
    }

    /// The error, where there is one.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Done => None,
            Self::Failed(failure) => Some(failure),
        }
    }

    /// Whether it is an error, and the same call may work a moment later.
    pub fn is_transient(&self) -> bool {
        self.failure().is_some_and(|failure| failure.transient)
    }
}

impl<'a> Call<'a> {
    pub(super) fn new(method: &'static MethodInfo, run: &'a mut dyn Run) -> Self {
        Self { method, run }
    }

    /// The method.
    pub const fn method(&self) -> &'static MethodInfo {
        self.method
    }

    /// The arguments as `name=value`, by their `Debug`; one that has none is `_`, one marked `#[secret]` is `[secret]`. They
    /// move on with the call: after [`proceed`](Self::proceed) nothing is shown, unless the method is `#[idempotent]`.
    pub fn arguments(&self) -> impl fmt::Display + use<'_, 'a> {
        Arguments(self)
    }

    /// Calls what is inside this decorator: the next one, or the service. A second time is for methods marked
    /// `#[idempotent]`; the caller gets the result of the last.
    ///
    /// # Errors
    /// [`ServiceError::NotIdempotent`]: it was called before, and may not be again. What the method itself returned is in the
    /// outcome.
    pub async fn proceed(&mut self) -> Result<Outcome, ServiceError> {
        self.run.proceed().await
    }
}

impl fmt::Debug for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("method", self.method).finish_non_exhaustive()
    }
}

struct Arguments<'b, 'a>(&'b Call<'a>);

impl fmt::Display for Arguments<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.run.show(f)
    }
}
