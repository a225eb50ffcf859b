use std::time::Duration;

use async_trait::async_trait;

use crate::{
    service::{Call, Decorator, MethodInfo, ServiceError},
    support::show_duration,
};

/// Breaks a call off that takes too long, with [`ServiceError::TimedOut`]. Outside [`Retry`](super::Retry) the time is for all
/// runs together, inside it for each.
#[derive(Debug, Clone, Copy)]
pub struct Timeout(Duration);

impl Timeout {
    /// Lets a call take so long.
    pub const fn of(longest: Duration) -> Self {
        Self(longest)
    }
}

#[async_trait]
impl Decorator for Timeout {
    async fn around(&self, call: &mut Call<'_>) -> Result<(), ServiceError> {
        let MethodInfo { service, name, .. } = *call.method();
        match tokio::time::timeout(self.0, call.proceed()).await {
            Ok(outcome) => outcome.map(drop),
            Err(_) => Err(ServiceError::TimedOut { service, method: name, after: self.0 }),
        }
    }

    fn describe(&self) -> String {
        format!("Timeout {}", show_duration(self.0))
    }
}
