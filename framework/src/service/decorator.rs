use std::sync::Arc;

use async_trait::async_trait;

use super::{Call, ServiceError, ServiceInfo};
use crate::support::{Gauge, short_name};

/// Something around every call of a service's methods, without knowing their types.
///
/// ```
/// use std::sync::{Arc, atomic::{AtomicUsize, Ordering}};
///
/// use paravel::container::{ContainerBuilder, ContainerError};
/// use paravel::service;
/// use paravel::service::{Call, Decorator, ServiceError};
///
/// /// Counts the calls that failed.
/// #[derive(Clone, Default)]
/// struct Failures(Arc<AtomicUsize>);
///
/// #[paravel::async_trait]
/// impl Decorator for Failures {
///     async fn around(&self, call: &mut Call<'_>) -> Result<(), ServiceError> {
///         if call.proceed().await?.failure().is_some() {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///         Ok(())
///     }
///
///     fn refuses(&self) -> bool {
///         false
///     }
/// }
///
/// #[service]
/// trait Berths {
///     async fn ship(&self, berth: u8) -> Result<String, ContainerError>;
/// }
///
/// struct Harbour;
///
/// #[service]
/// impl Berths for Harbour {
///     async fn ship(&self, berth: u8) -> Result<String, ContainerError> {
///         Ok(format!("the ship at {berth}"))
///     }
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let failures = Failures::default();
/// let mut app = ContainerBuilder::new();
/// app.singleton(|| -> Arc<dyn Berths> { Arc::new(Harbour) });
/// app.decorate::<dyn Berths>().with(failures.clone());
/// let app = app.freeze()?;
///
/// assert_eq!(app.make::<dyn Berths>()?.ship(7).await?, "the ship at 7");
/// assert_eq!(failures.0.load(Ordering::Relaxed), 0);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[async_trait]
pub trait Decorator: Send + Sync + 'static {
    /// Has the call [proceed](Call::proceed): never, once, or, where its method is idempotent, again.
    ///
    /// # Errors
    /// Where the call is refused. The caller gets it by the method's own error type.
    async fn around(&self, call: &mut Call<'_>) -> Result<(), ServiceError>;

    /// Whether it may end a call without a result of the service, by an error or by leaving it half-way. One that says it may
    /// not goes around every service; one that may only around those whose errors are `From<ServiceError>`. True by default.
    fn refuses(&self) -> bool {
        true
    }

    /// Whether it can do its work around this service; where it cannot, why and what to do about it, for a fault of the graph.
    ///
    /// # Errors
    /// The reason.
    fn check(&self, service: &ServiceInfo) -> Result<(), String> {
        let _ = service;
        Ok(())
    }

    /// What is watched of it while the application serves, where there is anything.
    fn gauge(&self) -> Option<Arc<dyn Gauge>> {
        None
    }

    /// What `service:list` prints: by default the name of its type.
    fn describe(&self) -> String {
        short_name(std::any::type_name::<Self>())
    }
}
