//! What a decorated call costs, beside the same call undecorated.
//!
//! `cargo bench -p paravel --bench service`

mod machine;

use std::{
    future::Future,
    hint::black_box,
    io,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use divan::{Bencher, counter::ItemsCount};
use paravel::{
    cache::Cache,
    container::{ContainerBuilder, ContainerError},
    service,
    service::{Logging, Metrics},
    support::Level,
};

#[expect(clippy::expect_used, reason = "there is nothing to measure without it")]
fn main() {
    // A load has a timeout, and so wants a clock.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let _entered = runtime.enter();
    let log = tracing_subscriber::fmt().with_writer(io::sink).with_max_level(tracing::Level::INFO);
    log.init();
    machine::print();
    divan::main();
}

#[service]
trait Berths {
    async fn ship(&self, berth: u64) -> Result<u64, ContainerError>;
    #[cached(key = "berths:{berth}", ttl = "30m", tags("berths", "berths:{berth}"))]
    async fn name(&self, berth: u64) -> Result<Option<String>, ContainerError>;
}

struct Harbour;

#[service]
impl Berths for Harbour {
    async fn ship(&self, berth: u64) -> Result<u64, ContainerError> {
        Ok(berth + 1)
    }

    async fn name(&self, berth: u64) -> Result<Option<String>, ContainerError> {
        Ok(Some(format!("the ship at {berth}")))
    }
}

#[expect(clippy::expect_used, reason = "a benchmark of an unsound graph would measure nothing")]
fn berths(decorate: impl FnOnce(&mut ContainerBuilder)) -> Arc<dyn Berths> {
    let mut app = ContainerBuilder::new();
    app.instance(Arc::new(Cache::memory("berths", 1 << 20)));
    app.singleton(|| -> Arc<dyn Berths> { Arc::new(Harbour) });
    decorate(&mut app);
    app.freeze().expect("the graph is sound").make().expect("the service is bound")
}

/// Nothing here waits, so no runtime is measured.
fn now<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a call waits"),
    }
}

const CALLS: u64 = 1_000;

fn ships(bencher: Bencher<'_, '_>, decorate: impl FnOnce(&mut ContainerBuilder)) {
    let berths = berths(decorate);
    bencher.counter(ItemsCount::new(CALLS)).bench_local(move || {
        for berth in 0..CALLS {
            black_box(now(black_box(&berths).ship(berth)).ok());
        }
    });
}

#[divan::bench]
fn a_undecorated(bencher: Bencher<'_, '_>) {
    ships(bencher, |_| {});
}

#[divan::bench]
fn b_logging_that_is_not_applied(bencher: Bencher<'_, '_>) {
    ships(bencher, |app| {
        app.decorate::<dyn Berths>().with(Logging::at(Level::Info)).when(false);
    });
}

#[divan::bench]
fn c_logging_below_the_level_in_force(bencher: Bencher<'_, '_>) {
    ships(bencher, |app| {
        app.decorate::<dyn Berths>().with(Logging::at(Level::Debug));
    });
}

#[divan::bench]
fn d_metrics(bencher: Bencher<'_, '_>) {
    ships(bencher, |app| {
        app.decorate::<dyn Berths>().with(Metrics::default());
    });
}

#[divan::bench]
fn e_logging_to_nowhere(bencher: Bencher<'_, '_>) {
    ships(bencher, |app| {
        app.decorate::<dyn Berths>().with(Logging::at(Level::Info));
    });
}

/// What the formatting of one such entry takes by itself.
#[divan::bench]
fn f_the_log_entry_alone(bencher: Bencher<'_, '_>) {
    bencher.counter(ItemsCount::new(CALLS)).bench_local(|| {
        for berth in 0..CALLS {
            let arguments = black_box(format!("berth={berth}"));
            tracing::info!(target: "service", service = "Berths", method = "ship", arguments, microseconds = 1, "called");
        }
    });
}

fn names(bencher: Bencher<'_, '_>, decorate: impl FnOnce(&mut ContainerBuilder)) {
    let berths = berths(decorate);
    bencher.counter(ItemsCount::new(CALLS)).bench_local(move || {
        for _ in 0..CALLS {
            black_box(now(black_box(&berths).name(black_box(7))).ok());
        }
    });
}

#[divan::bench]
fn g_name_undecorated(bencher: Bencher<'_, '_>) {
    names(bencher, |_| {});
}

#[divan::bench]
fn h_name_found_in_the_cache(bencher: Bencher<'_, '_>) {
    names(bencher, |app| {
        app.decorate::<dyn Berths>().cached();
    });
}
