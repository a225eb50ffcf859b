use std::time::Duration;

use async_trait::async_trait;

use crate::service::{Call, Decorator, ServiceError, ServiceInfo};

/// Runs a call again whose error is [`Transient`](crate::service::Transient), where its method is marked `#[idempotent]`; no
/// other. Between two runs it waits 50 ms, then twice as long each time up to 2 s, each between half of that and all of it by
/// chance, so that callers who failed together do not come back together.
#[derive(Debug, Clone, Copy)]
pub struct Retry {
    times: u32,
    first: Duration,
    longest: Duration,
}

impl Retry {
    /// Runs a call again up to so many times, after the first.
    pub const fn times(times: u32) -> Self {
        Self { times, first: Duration::from_millis(50), longest: Duration::from_secs(2) }
    }

    /// Waits this long before the first run that is another, and never longer than `longest`.
    #[must_use]
    pub const fn backoff(self, first: Duration, longest: Duration) -> Self {
        Self { first, longest, ..self }
    }

    fn pause(&self, retry: u32) -> Duration {
        let whole = self.first.saturating_mul(2_u32.saturating_pow(retry)).min(self.longest);
        // Without chance from the operating system, all of it is waited.
        let chance = getrandom::u32().unwrap_or(u32::MAX);
        whole / 2 + (whole / 2).mul_f64(f64::from(chance) / f64::from(u32::MAX))
    }
}

#[async_trait]
impl Decorator for Retry {
    async fn around(&self, call: &mut Call<'_>) -> Result<(), ServiceError> {
        let times = if call.method().idempotent { self.times } else { 0 };
        for retry in 0..times {
            if !call.proceed().await?.is_transient() {
                return Ok(());
            }
            tokio::time::sleep(self.pause(retry)).await;
        }
        call.proceed().await.map(drop)
    }

    fn refuses(&self) -> bool {
        false
    }

    fn check(&self, service: &ServiceInfo) -> Result<(), String> {
        let idempotent: Vec<_> = service.decorated().filter(|method| method.idempotent).collect();
        if idempotent.is_empty() {
            return Err("no method is marked `#[idempotent]`, so none could run again".to_owned());
        }
        match idempotent.iter().find(|method| !method.classified) {
            Some(method) => Err(format!(
                "the error of `{}` does not know whether it is worth another try: implement `paravel::service::Transient` \
                 for it",
                method.name
            )),
            None => Ok(()),
        }
    }

    fn describe(&self) -> String {
        format!("Retry {} times", self.times)
    }
}
