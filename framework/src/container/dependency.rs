use std::sync::Arc;

use super::{Container, ContainerError, Key, arity::up_to_eight, resolve::Resolving};

/// One argument of a factory, as the graph sees it.
#[derive(Debug, Clone, Copy)]
pub struct DependencyInfo {
    /// What is needed.
    pub key: Key,
    /// In what form.
    pub shape: Shape,
}

impl DependencyInfo {
    /// What the dependency of type `D` tells the graph.
    pub fn of<D: Dependency>() -> Self {
        D::info()
    }

    /// An `Arc<T>` that must be bound.
    pub fn one<T: ?Sized + 'static>() -> Self {
        Self { key: Key::of::<T>(), shape: Shape::One }
    }
}

/// In what form a dependency is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shape {
    /// `Arc<T>`: must be bound.
    One,
    /// `Option<Arc<T>>`: may be bound.
    Maybe,
    /// `Vec<Arc<T>>`: everything tagged with `T`.
    Tagged,
}

/// What a factory may take as an argument: `Arc<T>`, `Option<Arc<T>>`, or `Vec<Arc<T>>` for all that is tagged
/// with `T`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be injected",
    note = "a dependency is `Arc<T>`, `Option<Arc<T>>` or `Vec<Arc<T>>`, where `T` is a type or a trait object"
)]
pub trait Dependency: Sized {
    /// What the graph should know of it.
    fn info() -> DependencyInfo;

    /// Has the container make it.
    ///
    /// # Errors
    /// What making it met.
    fn resolve(resolver: &Resolver<'_>) -> Result<Self, ContainerError>;
}

/// What a factory's arguments are made by: the container, and for whom.
#[derive(Clone, Copy)]
pub struct Resolver<'a> {
    pub(super) container: &'a Container,
    pub(super) consumer: Option<Key>,
    pub(super) resolving: Resolving,
}

impl<'a> Resolver<'a> {
    /// A resolver for something that is not itself in the container: a handler, a command, a listener.
    pub fn new(container: &'a Container) -> Self {
        Self { container, consumer: None, resolving: Resolving::Direct }
    }
}

impl<T: ?Sized + Send + Sync + 'static> Dependency for Arc<T> {
    fn info() -> DependencyInfo {
        DependencyInfo { key: Key::of::<T>(), shape: Shape::One }
    }

    fn resolve(resolver: &Resolver<'_>) -> Result<Self, ContainerError> {
        resolver.container.resolve(resolver)
    }
}

impl<T: ?Sized + Send + Sync + 'static> Dependency for Option<Arc<T>> {
    fn info() -> DependencyInfo {
        DependencyInfo { key: Key::of::<T>(), shape: Shape::Maybe }
    }

    fn resolve(resolver: &Resolver<'_>) -> Result<Self, ContainerError> {
        match resolver.container.resolve::<T>(resolver) {
            Ok(made) => Ok(Some(made)),
            Err(ContainerError::NotBound { key }) if key == Key::of::<T>() => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl<T: ?Sized + Send + Sync + 'static> Dependency for Vec<Arc<T>> {
    fn info() -> DependencyInfo {
        DependencyInfo { key: Key::of::<T>(), shape: Shape::Tagged }
    }

    fn resolve(resolver: &Resolver<'_>) -> Result<Self, ContainerError> {
        resolver.container.tagged()
    }
}

/// Several dependencies as a tuple, of up to eight; `()` for none.
pub trait Dependencies: Sized {
    /// What the graph should know of them.
    fn infos() -> Vec<DependencyInfo>;

    /// Has the container make them.
    ///
    /// # Errors
    /// What making one met.
    fn resolve(resolver: &Resolver<'_>) -> Result<Self, ContainerError>;

    /// The tuple without a container, which only `()` has.
    fn none() -> Option<Self> {
        None
    }
}

impl Dependencies for () {
    fn infos() -> Vec<DependencyInfo> {
        Vec::new()
    }

    fn resolve(_resolver: &Resolver<'_>) -> Result<Self, ContainerError> {
        Ok(())
    }

    fn none() -> Option<Self> {
        Some(())
    }
}

macro_rules! tuples {
    () => {};
    ($($member:ident)+) => {
        impl<$($member: Dependency),+> Dependencies for ($($member,)+) {
            fn infos() -> Vec<DependencyInfo> {
                vec![$($member::info()),+]
            }

            fn resolve(resolver: &Resolver<'_>) -> Result<Self, ContainerError> {
                Ok(($($member::resolve(resolver)?,)+))
            }
        }
    };
}

up_to_eight!(tuples);
