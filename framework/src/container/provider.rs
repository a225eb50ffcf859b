use std::future::Future;

use futures_util::future::{BoxFuture, FutureExt};

use super::{Container, ContainerBuilder};
use crate::support::BoxError;

/// Registers a part of the application and starts it.
///
/// All providers' `register` run before any `boot`, so a binding may need what a later provider binds.
///
/// ```
/// use std::sync::Arc;
/// use paravel::container::{ContainerBuilder, Provider};
///
/// struct Clocks;
///
/// impl Provider for Clocks {
///     fn register(&self, app: &mut ContainerBuilder) {
///         app.singleton(|| Arc::new(std::time::Instant::now()));
///     }
/// }
/// ```
pub trait Provider: Send + Sync + 'static {
    /// Puts bindings into the container. Nothing can be made yet.
    fn register(&self, app: &mut ContainerBuilder);

    /// Starts what must run before the first request: all services can be made now.
    fn boot(&self, app: Container) -> impl Future<Output = Result<(), BoxError>> + Send {
        let _ = app;
        async { Ok(()) }
    }
}

/// [`Provider`] as the builder keeps it; implemented for every provider.
pub trait DynProvider: Send + Sync {
    /// The provider's type, for messages and to refuse a second one.
    fn name(&self) -> &'static str;

    /// [`Provider::register`].
    fn register(&self, app: &mut ContainerBuilder);

    /// [`Provider::boot`].
    fn boot(&self, app: Container) -> BoxFuture<'_, Result<(), BoxError>>;
}

impl<P: Provider> DynProvider for P {
    fn name(&self) -> &'static str {
        std::any::type_name::<P>()
    }

    fn register(&self, app: &mut ContainerBuilder) {
        Provider::register(self, app);
    }

    fn boot(&self, app: Container) -> BoxFuture<'_, Result<(), BoxError>> {
        Provider::boot(self, app).boxed()
    }
}
