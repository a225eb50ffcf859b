use std::marker::PhantomData;

use poem::{Endpoint, Response};
use serde::Serialize;

use crate::{
    container::{Dependency, DependencyInfo, Inject},
    support::short_name,
};

/// An endpoint that says what it takes and returns; [`endpoint`](crate::endpoint) makes one of an async function.
#[diagnostic::on_unimplemented(message = "`{Self}` is not a handler", note = "put `#[endpoint]` on the async function")]
pub trait Handler: Endpoint<Output = Response> + 'static {
    /// What it takes and returns.
    fn operation(&self) -> Operation;
}

/// What a route can be given: a function that [`endpoint`](crate::endpoint) was put on.
#[diagnostic::on_unimplemented(
    message = "a route cannot be given `{Self}`",
    note = "put `#[endpoint]` on the async function, and name it without parentheses"
)]
pub trait IntoHandler {
    /// The handler's type.
    type Handler: Handler;

    /// The handler.
    fn into_handler(self) -> Self::Handler;
}

impl<F: FnOnce() -> H, H: Handler> IntoHandler for F {
    type Handler = H;

    fn into_handler(self) -> H {
        self()
    }
}

/// What a handler takes, returns and has injected.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Operation {
    /// The function, with its path.
    pub handler: &'static str,
    /// The first line of its documentation.
    pub summary: &'static str,
    /// The types of its extractors, services left out.
    pub inputs: Vec<String>,
    /// The type it returns.
    pub output: String,
    /// The keys it has injected.
    pub injects: Vec<String>,
    #[serde(skip)]
    pub(crate) dependencies: Vec<DependencyInfo>,
}

impl Operation {
    /// An operation without inputs yet.
    pub fn new(handler: &'static str, summary: &'static str, output: &str) -> Self {
        Self {
            handler,
            summary,
            inputs: Vec::new(),
            output: short_name(output),
            injects: Vec::new(),
            dependencies: Vec::new(),
        }
    }

    /// Adds an input of the type `T`.
    pub fn input<T>(&mut self) {
        self.inputs.push(short_name(std::any::type_name::<T>()));
    }

    /// Adds what it asks the container for behind its arguments, for verification.
    pub fn needs<D: Dependency>(&mut self) {
        self.dependencies.push(D::info());
    }
}

/// An extractor that tells an [`Operation`] more than its type's name.
pub trait Describe {
    /// Adds it.
    fn describe(operation: &mut Operation);
}

impl<T: ?Sized + Send + Sync + 'static> Describe for Inject<T> {
    fn describe(operation: &mut Operation) {
        let info = <Self as Dependency>::info();
        operation.injects.push(info.key.to_string());
        operation.dependencies.push(info);
    }
}

/// Tells an operation of the extractor `T`, by [`Describe`] where it has that and by its name where not: method
/// lookup finds the first trait before the second, which needs one more reference.
pub struct Probe<T>(PhantomData<fn() -> T>);

impl<T> Probe<T> {
    /// A probe of `T`.
    #[expect(clippy::new_without_default, reason = "only macros make one")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// The first way of a [`Probe`].
pub trait DescribeExtractor {
    /// Adds the extractor.
    fn describe(&self, operation: &mut Operation);
}

impl<T: Describe> DescribeExtractor for Probe<T> {
    fn describe(&self, operation: &mut Operation) {
        T::describe(operation);
    }
}

/// The second way of a [`Probe`].
pub trait DescribeOther {
    /// Adds the extractor.
    fn describe(&self, operation: &mut Operation);
}

impl<T> DescribeOther for &Probe<T> {
    fn describe(&self, operation: &mut Operation) {
        operation.input::<T>();
    }
}
