use std::{fmt, ops::Deref, sync::Arc};

use super::{ContainerError, Dependency, DependencyInfo, Resolver};

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
