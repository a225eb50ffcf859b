mod circuit_breaker;
mod concurrency_limit;
mod logging;
mod metrics;
mod retry;
mod timeout;
mod tracing;

pub use self::{
    circuit_breaker::{Circuit, CircuitBreaker},
    concurrency_limit::ConcurrencyLimit,
    logging::Logging,
    metrics::{MethodStats, Metrics},
    retry::Retry,
    timeout::Timeout,
    tracing::Tracing,
};
