use std::sync::Arc;

use super::{ContainerError, Dependency, DependencyInfo, Key, Resolver, arity::up_to_eight, binding::Made};
use crate::support::BoxError;

/// What a factory may return: `Arc<T>`, or a `Result` of one. `T` becomes the key.
#[diagnostic::on_unimplemented(
    message = "a factory cannot return `{Self}`",
    note = "return `Arc<T>` or `Result<Arc<T>, E>`; write the type out, as in `|..| -> Arc<dyn Trait> {{ .. }}`"
)]
pub trait FactoryOutput {
    /// The type that the factory makes.
    type Target: ?Sized + Send + Sync + 'static;

    /// The result, whatever the form.
    ///
    /// # Errors
    /// What the factory returned.
    fn into_result(self) -> Result<Arc<Self::Target>, BoxError>;
}

impl<T: ?Sized + Send + Sync + 'static> FactoryOutput for Arc<T> {
    type Target = T;

    fn into_result(self) -> Result<Self, BoxError> {
        Ok(self)
    }
}

impl<T: ?Sized + Send + Sync + 'static, E: Into<BoxError>> FactoryOutput for Result<Arc<T>, E> {
    type Target = T;

    fn into_result(self) -> Result<Arc<T>, BoxError> {
        self.map_err(Into::into)
    }
}

/// A function whose arguments are dependencies and whose return type is the key; up to twelve arguments.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a factory",
    note = "a factory takes up to twelve dependencies (`Arc<T>`, `Option<Arc<T>>`, `Vec<Arc<T>>`) and returns `Arc<T>` \
            or `Result<Arc<T>, E>`"
)]
pub trait Factory<Arguments>: Send + Sync + 'static {
    /// The type that it makes.
    type Target: ?Sized + Send + Sync + 'static;

    /// Its arguments.
    fn dependencies() -> Vec<DependencyInfo>;

    /// Resolves the arguments and calls it.
    ///
    /// # Errors
    /// What a dependency or the factory itself met.
    fn call(&self, resolver: &Resolver<'_>) -> Result<Arc<Self::Target>, ContainerError>;
}

/// A function that wraps what a key's factory has made: takes it first, then dependencies, and returns the same
/// key.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an extender",
    note = "an extender takes the inner `Arc<T>` first, then up to eleven dependencies, and returns `Arc<T>`"
)]
pub trait Extender<T: ?Sized, Arguments>: Send + Sync + 'static {
    /// Its arguments after the first.
    fn dependencies() -> Vec<DependencyInfo>;

    /// Resolves the arguments and calls it.
    ///
    /// # Errors
    /// What a dependency or the extender itself met.
    fn call(&self, inner: Arc<T>, resolver: &Resolver<'_>) -> Result<Arc<T>, ContainerError>;
}

macro_rules! functions {
    ($($argument:ident)*) => {
        impl<Function, Output, $($argument: Dependency),*> Factory<($($argument,)*)> for Function
        where
            Function: Fn($($argument),*) -> Output + Send + Sync + 'static,
            Output: FactoryOutput,
        {
            type Target = Output::Target;

            fn dependencies() -> Vec<DependencyInfo> {
                vec![$($argument::info()),*]
            }

            fn call(&self, resolver: &Resolver<'_>) -> Result<Arc<Self::Target>, ContainerError> {
                let _ = resolver;
                let made = self($($argument::resolve(resolver)?),*);
                made.into_result().map_err(|source| ContainerError::failed(Key::of::<Self::Target>(), source))
            }
        }

        impl<Function, Output, T, $($argument: Dependency),*> Extender<T, ($($argument,)*)> for Function
        where
            Function: Fn(Arc<T>, $($argument),*) -> Output + Send + Sync + 'static,
            Output: FactoryOutput<Target = T>,
            T: ?Sized + Send + Sync + 'static,
        {
            fn dependencies() -> Vec<DependencyInfo> {
                vec![$($argument::info()),*]
            }

            fn call(&self, inner: Arc<T>, resolver: &Resolver<'_>) -> Result<Arc<T>, ContainerError> {
                let _ = resolver;
                let made = self(inner, $($argument::resolve(resolver)?),*);
                made.into_result().map_err(|source| ContainerError::failed(Key::of::<T>(), source))
            }
        }
    };
}

up_to_eight!(functions);
functions!(A1 A2 A3 A4 A5 A6 A7 A8 A9);
functions!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10);
functions!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11);
functions!(A1 A2 A3 A4 A5 A6 A7 A8 A9 A10 A11 A12);

/// A factory without its type: the key's `Arc`, boxed.
pub(super) fn erase<F: Factory<Arguments>, Arguments>(factory: F) -> super::binding::Build {
    Box::new(move |resolver| factory.call(resolver).map(|made| Box::new(made) as Made))
}

/// An extender without its type.
pub(super) fn erase_extender<T, F, Arguments>(extender: F) -> super::binding::Extend
where
    T: ?Sized + Send + Sync + 'static,
    F: Extender<T, Arguments>,
{
    Box::new(move |inner, resolver| {
        let key = Key::of::<T>();
        // The builder files an extension under its own key, so the types agree; an error here, not a panic.
        let inner = inner.downcast::<Arc<T>>().map_err(|_| ContainerError::NotBound { key })?;
        extender.call(*inner, resolver).map(|made| Box::new(made) as Made)
    })
}
