use std::time::Duration;

#[cfg(feature = "redis")]
use crate::redis::RedisError;
use crate::{container::ContainerError, database::DbError, mail::MailError};

/// A call that a service never answered: the service could not be had, or a decorator refused the call.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum ServiceError {
    /// There is no such service here.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// It took too long, and was broken off; how far it had come is not known.
    #[error("`{service}::{method}` was broken off after {after:?}; what it did until then may have been done")]
    TimedOut {
        /// The service.
        service: &'static str,
        /// Its method.
        method: &'static str,
        /// How long was waited.
        after: Duration,
    },
    /// The service failed too often, and is left alone for a while.
    #[error("`{service}::{method}` was not called: the service fails, and is tried again in {retry_in:?}")]
    Open {
        /// The service.
        service: &'static str,
        /// Its method.
        method: &'static str,
        /// When it is worth another try; zero while another call is trying.
        retry_in: Duration,
    },
    /// As many calls are under way as are allowed.
    #[error(
        "`{service}::{method}` was not called: {limit} calls are under way, and no more are allowed; try again later"
    )]
    Busy {
        /// The service.
        service: &'static str,
        /// Its method.
        method: &'static str,
        /// How many calls may be under way.
        limit: usize,
    },
    /// A decorator of the application's own refused the call.
    #[error("`{service}::{method}` was not called: {reason}")]
    Refused {
        /// The service.
        service: &'static str,
        /// Its method.
        method: &'static str,
        /// Why, and what to do.
        reason: String,
    },
    /// A decorator ran a method twice that may run once.
    #[error("`{service}::{method}` may not run again: mark it `#[idempotent]` where that does no harm")]
    NotIdempotent {
        /// The service.
        service: &'static str,
        /// Its method.
        method: &'static str,
    },
    /// A decorator let the call go without having run it.
    #[error(
        "the decorator `{decorator}` did not run `{service}::{method}`, and did not say why: it should return an error"
    )]
    NotRun {
        /// The service.
        service: &'static str,
        /// Its method.
        method: &'static str,
        /// The decorator.
        decorator: String,
    },
}

/// An error that knows whether the same call may work a moment later. [`Retry`](super::Retry) and
/// [`CircuitBreaker`](super::CircuitBreaker) ask it.
///
/// ```
/// use paravel::database::DbError;
/// use paravel::service::Transient;
///
/// enum ShipError {
///     Unknown,
///     Database(DbError),
/// }
///
/// impl Transient for ShipError {
///     fn is_transient(&self) -> bool {
///         match self {
///             Self::Unknown => false,
///             Self::Database(error) => error.is_transient(),
///         }
///     }
/// }
/// # assert!(!ShipError::Unknown.is_transient());
/// # assert!(!ShipError::Database(DbError::Closed).is_transient());
/// ```
pub trait Transient {
    /// Whether nothing is wrong with the call itself.
    fn is_transient(&self) -> bool;
}

impl Transient for DbError {
    fn is_transient(&self) -> bool {
        Self::is_transient(self)
    }
}

#[cfg(feature = "redis")]
impl Transient for RedisError {
    fn is_transient(&self) -> bool {
        Self::is_transient(self)
    }
}

impl Transient for MailError {
    fn is_transient(&self) -> bool {
        Self::is_transient(self)
    }
}

impl Transient for ServiceError {
    fn is_transient(&self) -> bool {
        matches!(self, Self::TimedOut { .. } | Self::Busy { .. })
    }
}
