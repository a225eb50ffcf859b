//! Retry, timeout, circuit breaker and concurrency limit.

use std::{sync::Arc, time::Duration};

use futures_util::FutureExt;
use paravel::{
    container::{ContainerBuilder, ContainerError},
    service,
    service::{Circuit, CircuitBreaker, ConcurrencyLimit, Metrics, Retry, Timeout},
};
use tokio::time::{Instant, advance};

use super::{CraneError, CraneService, Harbour, Load, cranes};

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test(start_paused = true)]
async fn a_transient_failure_of_an_idempotent_method_is_tried_again() {
    let harbour = Harbour::jammed(2);
    let cranes = cranes(&harbour, |app| {
        app.decorate::<dyn CraneService>().with(Retry::times(3).backoff(SECOND, 10 * SECOND));
    });
    let began = Instant::now();
    assert_eq!(cranes.weigh(2).await, Ok(20));
    assert_eq!(harbour.calls(), 3);
    // One second and two, of each at least half and at most all; tokio's clock is paused and counts whole milliseconds.
    let waited = began.elapsed();
    assert!(waited >= Duration::from_millis(1500) && waited <= Duration::from_millis(3002), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn the_pauses_between_tries_are_not_all_alike() {
    let mut waited = std::collections::BTreeSet::new();
    for _ in 0..50 {
        let cranes = cranes(&Harbour::jammed(1), |app| {
            app.decorate::<dyn CraneService>().with(Retry::times(1).backoff(SECOND, SECOND));
        });
        let began = Instant::now();
        assert_eq!(cranes.weigh(2).await, Ok(20));
        waited.insert(began.elapsed());
    }
    assert!(waited.len() > 10, "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn no_other_failure_and_no_other_method_is_tried_again() {
    let harbour = Harbour::jammed(5);
    let cranes = cranes(&harbour, |app| {
        app.decorate::<dyn CraneService>().with(Retry::times(2));
    });
    assert_eq!(cranes.lift(1, Load(0)).await, Err(CraneError::Jammed));
    assert_eq!(harbour.calls(), 1, "`lift` is not idempotent");
    assert_eq!(cranes.weigh(1).await, Err(CraneError::Jammed));
    assert_eq!(harbour.calls(), 4, "and `weigh` ran three times in all");
    assert_eq!(cranes.weigh(1).await, Ok(10));
    assert_eq!(harbour.calls(), 6);
    assert_eq!(cranes.weigh(0).await, Err(CraneError::Unknown(0)));
    assert_eq!(harbour.calls(), 7, "an unknown crane stays unknown");
}

#[tokio::test(start_paused = true)]
async fn a_call_that_takes_too_long_is_broken_off() {
    let harbour: Arc<Harbour> = Arc::default();
    let metrics = Metrics::default();
    let cranes = cranes(&harbour, |app| {
        app.decorate::<dyn CraneService>().with(Timeout::of(5 * SECOND)).with(metrics.clone());
    });
    let began = Instant::now();
    let error = cranes.wait().await.unwrap_err().to_string();
    assert!(error.contains("`CraneService::wait` was broken off after 5s"), "{error}");
    assert_eq!(began.elapsed().as_secs(), 5);
    assert_eq!(metrics.read()[0].left, 1, "what is inside was dropped");
    assert_eq!(cranes.weigh(1).await, Ok(10));
}

fn breaker(harbour: &Arc<Harbour>) -> (CircuitBreaker, Arc<dyn CraneService>) {
    let breaker = CircuitBreaker::after(3, 30 * SECOND);
    let cranes = cranes(harbour, |app| {
        app.decorate::<dyn CraneService>().with(breaker.clone());
    });
    (breaker, cranes)
}

#[tokio::test(start_paused = true)]
async fn a_breaker_opens_after_failures_in_a_row_and_lets_one_call_try() {
    let harbour = Harbour::jammed(4);
    let (breaker, cranes) = breaker(&harbour);
    for _ in 0..3 {
        assert_eq!(breaker.state(), Circuit::Closed);
        assert_eq!(cranes.weigh(1).await, Err(CraneError::Jammed));
    }
    assert_eq!(breaker.state(), Circuit::Open);
    advance(10 * SECOND).await;
    let error = cranes.weigh(1).await.unwrap_err().to_string();
    assert!(error.contains("`CraneService::weigh` was not called") && error.contains("20s"), "{error}");
    assert_eq!(harbour.calls(), 3);

    advance(20 * SECOND).await;
    assert_eq!(breaker.state(), Circuit::HalfOpen);
    assert_eq!(cranes.weigh(1).await, Err(CraneError::Jammed), "the trial, which fails and opens it again");
    assert_eq!((breaker.state(), harbour.calls()), (Circuit::Open, 4));

    advance(30 * SECOND).await;
    assert_eq!(cranes.weigh(1).await, Ok(10));
    assert_eq!(breaker.state(), Circuit::Closed);
}

#[tokio::test(start_paused = true)]
async fn failures_that_are_answers_and_failures_not_in_a_row_open_nothing() {
    let harbour: Arc<Harbour> = Arc::default();
    let (breaker, cranes) = breaker(&harbour);
    for _ in 0..10 {
        assert_eq!(cranes.weigh(0).await, Err(CraneError::Unknown(0)));
    }
    for _ in 0..5 {
        harbour.jams.store(2, std::sync::atomic::Ordering::SeqCst);
        assert_eq!(cranes.weigh(1).await, Err(CraneError::Jammed));
        assert_eq!(cranes.weigh(1).await, Err(CraneError::Jammed));
        assert_eq!(cranes.weigh(1).await, Ok(10));
    }
    assert_eq!(breaker.state(), Circuit::Closed);
}

#[tokio::test(start_paused = true)]
async fn one_call_tries_at_a_time_and_one_that_is_left_half_way_decides_nothing() {
    let harbour = Harbour::jammed(3);
    let (breaker, cranes) = breaker(&harbour);
    for _ in 0..3 {
        drop(cranes.weigh(1).await);
    }
    advance(30 * SECOND).await;
    let mut trial = cranes.wait();
    assert!((&mut trial).now_or_never().is_none());
    assert!(cranes.weigh(1).await.unwrap_err().to_string().contains("was not called"));
    assert_eq!(breaker.state(), Circuit::HalfOpen);
    drop(trial);
    assert_eq!(cranes.weigh(1).await, Ok(10), "the next one tries");
    assert_eq!(breaker.state(), Circuit::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_call_from_before_the_breaker_opened_does_not_close_it() {
    let harbour = Harbour::jammed(3);
    let (breaker, cranes) = breaker(&harbour);
    let mut old = cranes.wait();
    assert!((&mut old).now_or_never().is_none());
    for _ in 0..3 {
        drop(cranes.weigh(1).await);
    }
    harbour.gate.notify_one();
    assert_eq!(old.await, Ok(()));
    assert_eq!(breaker.state(), Circuit::Open);
}

#[tokio::test(start_paused = true)]
async fn a_call_from_before_the_breaker_opened_does_not_keep_it_open() {
    let harbour = Harbour::jammed(6);
    let (breaker, cranes) = breaker(&harbour);
    let mut old: Vec<_> = (0..3).map(|_| cranes.weigh(1)).collect();
    assert!(old.iter_mut().all(|call| call.now_or_never().is_none()));
    for _ in 0..3 {
        drop(cranes.weigh(1).await);
    }
    advance(20 * SECOND).await;
    for call in old {
        assert_eq!(call.await, Err(CraneError::Jammed));
    }
    advance(10 * SECOND).await;
    assert_eq!(breaker.state(), Circuit::HalfOpen);
}

#[tokio::test(start_paused = true)]
async fn as_many_calls_as_allowed_are_under_way_and_a_seat_comes_back_however_a_call_ends() {
    let harbour: Arc<Harbour> = Arc::default();
    let cranes = cranes(&harbour, |app| {
        app.decorate::<dyn CraneService>().with(ConcurrencyLimit::of(2));
    });
    let (mut one, mut other) = (cranes.wait(), cranes.wait());
    assert!((&mut one).now_or_never().is_none());
    assert!((&mut other).now_or_never().is_none());
    let error = cranes.weigh(1).await.unwrap_err().to_string();
    assert!(error.contains("2 calls are under way"), "{error}");
    drop(one);
    assert_eq!(cranes.weigh(1).await, Ok(10));
    assert!(std::panic::AssertUnwindSafe(cranes.fall()).catch_unwind().await.is_err());
    assert_eq!(cranes.weigh(1).await, Ok(10));
    harbour.gate.notify_one();
    assert_eq!(other.await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_call_may_wait_for_a_seat() {
    let harbour: Arc<Harbour> = Arc::default();
    let cranes = cranes(&harbour, |app| {
        app.decorate::<dyn CraneService>().with(ConcurrencyLimit::of(1).patience(5 * SECOND));
    });
    let mut first = cranes.wait();
    assert!((&mut first).now_or_never().is_none());
    let began = Instant::now();
    assert!(cranes.weigh(1).await.unwrap_err().to_string().contains("was not called"));
    assert_eq!(began.elapsed().as_secs(), 5);
    let mut second = cranes.weigh(1);
    assert!((&mut second).now_or_never().is_none());
    drop(first);
    assert_eq!(second.await, Ok(10));
}

#[service]
#[allow(dead_code, reason = "it is decorated, and never called")]
trait Silent {
    async fn go(&self) -> Result<(), ContainerError>;
    #[idempotent]
    async fn look(&self) -> Result<(), ContainerError>;
}

#[service]
#[allow(dead_code, reason = "it is decorated, and never called")]
trait Once {
    async fn go(&self) -> Result<(), CraneError>;
}

struct Mouse;

#[service]
impl Silent for Mouse {
    async fn go(&self) -> Result<(), ContainerError> {
        Ok(())
    }

    async fn look(&self) -> Result<(), ContainerError> {
        Ok(())
    }
}

#[service]
impl Once for Mouse {
    async fn go(&self) -> Result<(), CraneError> {
        Ok(())
    }
}

#[test]
fn a_decorator_that_could_do_nothing_is_a_fault() {
    let mut app = ContainerBuilder::new();
    app.singleton(|| -> Arc<dyn Silent> { Arc::new(Mouse) });
    app.singleton(|| -> Arc<dyn Once> { Arc::new(Mouse) });
    app.decorate::<dyn Silent>().with(Retry::times(1));
    app.decorate::<dyn Once>().with(Retry::times(1)).with(CircuitBreaker::after(1, SECOND)).with(Timeout::of(SECOND));
    let faults = app.verify().unwrap_err();
    let text = faults.to_string();
    assert_eq!(faults.0.len(), 2, "{text}");
    assert!(text.contains("around `dyn Once`: no method is marked `#[idempotent]`"), "{text}");
    assert!(text.contains("around `dyn Silent`: the error of `look` does not know"), "{text}");
}
