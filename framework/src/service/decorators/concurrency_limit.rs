use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::sync::Semaphore;

use crate::{
    service::{Call, Decorator, MethodInfo, ServiceError},
    support::show_duration,
};

/// Lets so many calls of a service be under way at once, all methods together, and refuses others with
/// [`ServiceError::Busy`]. A clone counts the same calls.
#[derive(Debug, Clone)]
pub struct ConcurrencyLimit {
    limit: usize,
    patience: Duration,
    seats: Arc<Semaphore>,
}

impl ConcurrencyLimit {
    /// Lets so many calls be under way, and refuses the next at once.
    pub fn of(limit: usize) -> Self {
        let seats = Arc::new(Semaphore::new(limit.min(Semaphore::MAX_PERMITS)));
        Self { limit, patience: Duration::ZERO, seats }
    }

    /// Lets a call wait this long for another to end before it is refused. Those that wait are let in in their order.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        Self { patience, ..self }
    }
}

#[async_trait]
impl Decorator for ConcurrencyLimit {
    async fn around(&self, call: &mut Call<'_>) -> Result<(), ServiceError> {
        let seat = match self.seats.try_acquire() {
            Ok(seat) => Some(seat),
            Err(_) if self.patience.is_zero() => None,
            Err(_) => tokio::time::timeout(self.patience, self.seats.acquire()).await.ok().and_then(Result::ok),
        };
        let Some(_seat) = seat else {
            let MethodInfo { service, name, .. } = *call.method();
            return Err(ServiceError::Busy { service, method: name, limit: self.limit });
        };
        call.proceed().await.map(drop)
    }

    fn describe(&self) -> String {
        match self.patience {
            Duration::ZERO => format!("ConcurrencyLimit {}", self.limit),
            patience => format!("ConcurrencyLimit {}, after {}", self.limit, show_duration(patience)),
        }
    }
}
