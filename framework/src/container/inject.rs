use std::{fmt, ops::Deref, sync::Arc};

use super::{ContainerError, Dependency, DependencyInfo, Resolver};

/// A type that is made of its dependencies, without being bound; `#[derive(Inject)]` implements it.
///
/// ```
/// use std::sync::Arc;
/// use paravel::{Inject, container::{ContainerBuilder, Injectable, Resolver}};
///
/// #[derive(Inject)]
/// struct Ship {
///     name: Arc<String>,
/// }
///
/// let mut app = ContainerBuilder::new();
/// app.instance(Arc::new("Dawn Treader".to_owned()));
/// assert_eq!(*Ship::make(&Resolver::new(&app.freeze()?))?.name, "Dawn Treader");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made by the container",
    note = "derive `paravel::Inject` for it: its fields are its dependencies"
)]
pub trait Injectable: Sized {
    /// What the graph should know of its dependencies.
    fn dependencies() -> Vec<DependencyInfo>;

    /// Has the container make the dependencies, and makes it of them.
    ///
    /// # Errors
    /// What making one met.
    fn make(resolver: &Resolver<'_>) -> Result<Self, ContainerError>;
}

/// A service as an argument of a handler or a listener: `users: Inject<dyn UserService>`.
///
/// It dereferences to the service.
pub struct Inject<T: ?Sized>(pub Arc<T>);

impl<T: ?Sized> Deref for Inject<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized> Clone for Inject<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: ?Sized> fmt::Debug for Inject<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Inject<{}>", crate::support::short_name(std::any::type_name::<T>()))
    }
}

impl<T: ?Sized + Send + Sync + 'static> Dependency for Inject<T> {
    fn info() -> DependencyInfo {
        DependencyInfo::one::<T>()
    }

    fn resolve(resolver: &Resolver<'_>) -> Result<Self, ContainerError> {
        Dependency::resolve(resolver).map(Self)
    }
}
