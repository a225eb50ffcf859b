//! What [`service`](macro@crate::service) expands to calls of: facades, and decorators around services.

mod cached;
mod call;
mod chain;
mod decorated;
mod decorator;
mod decorators;
mod error;
mod facade;
mod info;
#[doc(hidden)]
pub mod probe;

#[doc(hidden)]
pub use cached::{Entry, Invalidation, cached, kept};
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
pub use info::{Cacheable, Decoratable, MethodInfo, ServiceInfo};
