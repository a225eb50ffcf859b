//! What [`service`](macro@crate::service) makes of a trait: a facade, and decorators around every call.
//!
//! A decorator sees the method, its arguments as text and what came of the call; the typed result waits beside it. A provider
//! says which are applied, from the outside in, and by which condition:
//!
//! ```
//! # use std::{sync::Arc, time::Duration};
//! use paravel::{
//!     cache::Cache,
//!     container::ContainerBuilder,
//!     service,
//!     service::{CircuitBreaker, Logging, Metrics, Retry, ServiceError, Timeout, Transient},
//!     support::Level,
//! };
//!
//! #[derive(Debug, Clone, thiserror::Error)]
//! enum ShipError {
//!     #[error(transparent)]
//!     Service(#[from] ServiceError),
//! }
//!
//! impl Transient for ShipError {
//!     fn is_transient(&self) -> bool {
//!         let Self::Service(error) = self;
//!         error.is_transient()
//!     }
//! }
//!
//! #[service]
//! trait Berths {
//!     #[idempotent]
//!     #[cached(key = "berths:{berth}", ttl = "30m", tags("berths:{berth}"))]
//!     async fn ship(&self, berth: u8) -> Result<Option<String>, ShipError>;
//!
//!     #[invalidates(tags("berths:{berth}"))]
//!     #[audited("berth.moored", before = ship(berth), after = ship(berth))]
//!     async fn moor(&self, berth: u8, ship: &str, #[secret] papers: &str) -> Result<(), ShipError>;
//! }
//! # struct Harbour;
//! # #[service]
//! # impl Berths for Harbour {
//! #     async fn ship(&self, berth: u8) -> Result<Option<String>, ShipError> {
//! #         Ok(Some(format!("the ship at {berth}")))
//! #     }
//! #     async fn moor(&self, _: u8, _: &str, _: &str) -> Result<(), ShipError> {
//! #         Ok(())
//! #     }
//! # }
//!
//! fn register(app: &mut ContainerBuilder, verbose: bool) {
//!     app.singleton(|| -> Arc<dyn Berths> { Arc::new(Harbour) });
//!     app.decorate::<dyn Berths>()
//!         .with(Logging::at(Level::Info))
//!         .when(verbose)
//!         .audited()
//!         .cached()
//!         .with(Metrics::default())
//!         .with(Retry::times(3))
//!         .with(CircuitBreaker::after(5, Duration::from_secs(30)))
//!         .with(Timeout::of(Duration::from_secs(2)));
//! }
//! # let mut app = ContainerBuilder::new();
//! # app.instance(Arc::new(Cache::memory("berths", 1 << 20)));
//! # struct Nowhere;
//! # impl paravel::service::AuditLog for Nowhere {
//! #     fn write(
//! #         &self,
//! #         _: paravel::service::AuditEntry,
//! #     ) -> futures_util::future::BoxFuture<'_, Result<(), paravel::support::BoxError>> {
//! #         Box::pin(async { Ok(()) })
//! #     }
//! # }
//! # app.instance::<dyn paravel::service::AuditLog>(Arc::new(Nowhere));
//! # app.instance::<dyn paravel::service::WhoActs>(Arc::new(paravel::auth::Gate));
//! # app.instance::<dyn paravel::support::Clock>(Arc::new(paravel::support::SystemClock));
//! # register(&mut app, true);
//! # app.freeze()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What holds
//!
//! - **What is not applied is not there.** Without decorators the service is the bound instance itself.
//! - **A method runs again only where it is marked `#[idempotent]`**; its arguments are copied for that, and no others'.
//! - **A call can be refused only by the method's own error.** A decorator that may refuse, around a method whose error is not
//!   `From<ServiceError>`, is a fault of the graph.
//! - **A panic passes through, and a call whose caller goes away is dropped**, through all decorators.
//! - **The audit log is told of an `#[audited]` call before its caller is answered**; inside a transaction, with its commit. One that
//!   cannot be written is logged as an error, and undoes nothing.
//! - **Nothing is cached inside a transaction**, and an invalidation there waits for its commit.
//! - **What a transaction changed is invalidated when it is committed**, although the caller may be gone by then.
//! - **What is cached is read from the primary**, not from a replica that is behind.
//! - Methods that are not `async` pass straight through.
//!
//! # By hand
//!
//! What the attribute makes for the trait above is
//!
//! ```ignore
//! struct Decorated {
//!     inner: Arc<dyn Berths>,
//!     decorator: Arc<dyn Decorator>,
//! }
//!
//! impl Berths for Decorated {
//!     async fn ship(&self, berth: u8) -> Result<Option<String>, ShipError> {
//!         let mut result = None;
//!         // `call.proceed()` runs this closure, and tells the decorator what came of it.
//!         let run = async || result = Some(self.inner.ship(berth.clone()).await);
//!         match self.decorator.around(&mut Call::new("ship", run)).await {
//!             Ok(()) => result.unwrap_or_else(|| Err(ServiceError::NotRun { .. }.into())),
//!             Err(refused) => Err(refused.into()),
//!         }
//!     }
//!     ..
//! }
//!
//! struct Cached {
//!     inner: Arc<dyn Berths>,
//!     cache: Cache,
//! }
//!
//! impl Berths for Cached {
//!     async fn ship(&self, berth: u8) -> Result<Option<String>, ShipError> {
//!         if in_transaction() {
//!             return self.inner.ship(berth).await;
//!         }
//!         // `:` and `%` of an argument are percent-encoded, in keys and tags.
//!         let cache = self.cache.tags([format!("berths:{berth}")]);
//!         // Errors and `None` come out of the loader as errors, which are not kept.
//!         cache.remember(&format!("berths:{berth}"), 30 * MINUTE, || self.inner.ship(berth)).await
//!     }
//!
//!     async fn moor(&self, berth: u8, ship: &str, papers: &str) -> Result<(), ShipError> {
//!         let tag = format!("berths:{berth}");
//!         // Whatever becomes of the caller, and once more for what is not in a transaction.
//!         let moored = each_commit(|| invalidate(tag), self.inner.moor(berth, ship, papers)).await;
//!         self.cache.invalidate([tag]).await;
//!         moored
//!     }
//! }
//!
//! struct Audited {
//!     inner: Arc<dyn Berths>,
//!     auditor: Auditor,
//! }
//!
//! impl Berths for Audited {
//!     async fn ship(&self, berth: u8) -> Result<Option<String>, ShipError> {
//!         self.inner.ship(berth).await
//!     }
//!
//!     async fn moor(&self, berth: u8, ship: &str, papers: &str) -> Result<(), ShipError> {
//!         // Where it is dropped before its end, it is written that the call was left half-way.
//!         let mut audit = self.auditor.begin("berth.moored", format!("berth={berth:?} ship={ship:?} papers=[secret]"));
//!         audit.before(json(self.inner.ship(berth).await));
//!         let moored = self.inner.moor(berth, ship, papers).await;
//!         audit.end(moored.as_ref().err(), json(self.inner.ship(berth).await)).await;
//!         moored
//!     }
//! }
//! ```

mod audit;
mod cached;
mod call;
mod chain;
mod commands;
mod decorated;
mod decorator;
mod decorators;
mod error;
mod facade;
mod info;
mod measure;
mod prefetch;
#[doc(hidden)]
pub mod probe;
mod slot;

use audit::json as audit_json;
#[doc(hidden)]
pub use audit::{Audit, state_of};
pub use audit::{AuditEntry, AuditLog, AuditOutcome, Auditor, DatabaseAuditLog, State, WhoActs};
#[doc(hidden)]
pub use cached::{Invalidation, cached, kept};
pub use call::{Call, Failure, Outcome};
pub use chain::{Chain, ServiceChain};
#[doc(hidden)]
pub use decorated::decorated;
pub use decorator::Decorator;
pub use decorators::{
    Circuit, CircuitBreaker, ConcurrencyLimit, Logging, MethodStats, Metrics, Retry, Timeout, Tracing,
};
pub use error::{ServiceError, Transient};
pub use facade::{FacadeReturn, facade, refuse};
pub use info::{Auditable, Cacheable, Decoratable, MethodInfo, ServiceInfo};
pub use prefetch::prefetch;
pub use slot::CacheSlot;
#[doc(hidden)]
pub use slot::{Answer, KeyPart};
