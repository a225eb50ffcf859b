use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::{
    service::{Call, Decorator, MethodInfo, ServiceError, ServiceInfo},
    support::show_duration,
};

/// Leaves a service alone that fails: after so many transient errors in a row, of all methods together, calls are refused with
/// [`ServiceError::Open`] for a while; then one is let through, and what comes of it decides. An error that is not
/// [`Transient`](crate::service::Transient) is an answer like any other. A clone is the same breaker.
#[derive(Debug, Clone)]
pub struct CircuitBreaker {
    most: u32,
    pause: Duration,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    // In a row.
    failures: u32,
    opened: Option<Instant>,
    // Whether the call that decides is under way.
    trying: bool,
    // Counts each change between open and closed, so that a call is judged by the state that let it through.
    epoch: u64,
}

/// What a [`CircuitBreaker`] does with the next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Circuit {
    /// It goes through.
    Closed,
    /// It is refused.
    Open,
    /// It is let through, or another has been, to see whether the service works again.
    HalfOpen,
}

impl CircuitBreaker {
    /// Opens after so many failures in a row, at least one, for this long.
    pub fn after(failures: u32, pause: Duration) -> Self {
        Self { most: failures.max(1), pause, state: Arc::default() }
    }

    /// What it does with the next call.
    pub fn state(&self) -> Circuit {
        let state = self.state.lock();
        match state.opened {
            None => Circuit::Closed,
            Some(opened) if state.trying || opened.elapsed() >= self.pause => Circuit::HalfOpen,
            Some(_) => Circuit::Open,
        }
    }

    /// A pass for one call, or how long until the next is given.
    fn enter(&self) -> Result<Pass<'_>, Duration> {
        let mut state = self.state.lock();
        if let Some(opened) = state.opened {
            let left = self.pause.saturating_sub(opened.elapsed());
            if state.trying || !left.is_zero() {
                return Err(left);
            }
            state.trying = true;
        }
        Ok(Pass { breaker: self, epoch: state.epoch, is_trial: state.trying })
    }
}

/// A call that was let through.
struct Pass<'a> {
    breaker: &'a CircuitBreaker,
    epoch: u64,
    is_trial: bool,
}

impl Pass<'_> {
    fn end(self, failed: bool) {
        let mut state = self.breaker.state.lock();
        if state.epoch != self.epoch {
            return;
        }
        state.failures = if failed { state.failures.saturating_add(1) } else { 0 };
        if failed && (self.is_trial || state.failures >= self.breaker.most) {
            *state = State { opened: Some(Instant::now()), epoch: state.epoch + 1, ..State::default() };
        } else if self.is_trial {
            *state = State { epoch: state.epoch + 1, ..State::default() };
        }
    }
}

impl Drop for Pass<'_> {
    /// A trial that was left half-way, or panicked, has decided nothing: the next call is one.
    fn drop(&mut self) {
        let mut state = self.breaker.state.lock();
        if self.is_trial && state.epoch == self.epoch {
            state.trying = false;
        }
    }
}

#[async_trait]
impl Decorator for CircuitBreaker {
    async fn around(&self, call: &mut Call<'_>) -> Result<(), ServiceError> {
        let pass = self.enter().map_err(|retry_in| {
            let MethodInfo { service, name, .. } = *call.method();
            ServiceError::Open { service, method: name, retry_in }
        })?;
        let outcome = call.proceed().await?;
        pass.end(outcome.is_transient());
        Ok(())
    }

    fn check(&self, service: &ServiceInfo) -> Result<(), String> {
        if service.decorated().any(|method| method.classified) {
            return Ok(());
        }
        Err("no method's error knows whether the service is to blame: implement `paravel::service::Transient` for it"
            .into())
    }

    fn describe(&self) -> String {
        format!("CircuitBreaker {} failures, {}", self.most, show_duration(self.pause))
    }
}
