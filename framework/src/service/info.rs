use std::sync::Arc;

use super::{Auditor, Decorator};
use crate::cache::Cache;

/// What is known of a service trait.
#[derive(Debug)]
pub struct ServiceInfo {
    /// The trait's name.
    pub name: &'static str,
    /// Its methods, in their order.
    pub methods: Vec<MethodInfo>,
}

/// What is known of a service's method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodInfo {
    /// The trait's name.
    pub service: &'static str,
    /// Its own.
    pub name: &'static str,
    /// Whether it is `async`. Decorators go around those alone.
    pub is_async: bool,
    /// Whether running it again does no harm: it is marked `#[idempotent]`.
    pub idempotent: bool,
    /// Whether its error can say that the call was refused: it is `From<ServiceError>`.
    pub refusable: bool,
    /// Whether its error knows what is worth another try: it is [`Transient`](super::Transient).
    pub classified: bool,
}

impl ServiceInfo {
    /// The methods that decorators go around.
    pub fn decorated(&self) -> impl Iterator<Item = &MethodInfo> {
        self.methods.iter().filter(|method| method.is_async)
    }
}

/// The `dyn` type of a trait that [`service`](macro@crate::service) stands on: it can be decorated.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be decorated",
    note = "decorators go around traits with `#[service]`: name the trait object, as in `decorate::<dyn UserService>()`"
)]
pub trait Decoratable: Send + Sync + 'static {
    /// What is known of the trait.
    fn service() -> &'static ServiceInfo;

    /// The same service with a decorator around its async methods.
    fn decorate(inner: Arc<Self>, decorator: Arc<dyn Decorator>) -> Arc<Self>;
}

/// A service with methods that are `#[cached]` or `#[invalidates]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has nothing to cache",
    note = "mark methods of the trait `#[cached(key = \"..\", ttl = \"..\")]` or `#[invalidates(tags(\"..\"))]`"
)]
pub trait Cacheable: Decoratable {
    /// The same service, whose cached methods look into the cache first.
    fn cached(inner: Arc<Self>, cache: &Cache) -> Arc<Self>;
}

/// A service with methods that are `#[audited]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has nothing to audit",
    note = "mark methods of the trait `#[audited(\"user.updated\")]`"
)]
pub trait Auditable: Decoratable {
    /// The same service, whose audited methods are written to the log.
    fn audited(inner: Arc<Self>, auditor: &Auditor) -> Arc<Self>;
}
