use async_trait::async_trait;
use tracing::{Instrument, info_span};

use crate::service::{Call, Decorator, MethodInfo, ServiceError};

/// Runs each call in a span `service`, with the fields `service` and `method`, so that whatever is logged inside says where.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tracing;

#[async_trait]
impl Decorator for Tracing {
    async fn around(&self, call: &mut Call<'_>) -> Result<(), ServiceError> {
        let MethodInfo { service, name, .. } = *call.method();
        let span = info_span!(target: "service", "service", service, method = name);
        call.proceed().instrument(span).await.map(drop)
    }

    fn refuses(&self) -> bool {
        false
    }
}
