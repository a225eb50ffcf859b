//! What the container and a facade cost, beside the bare thing underneath.
//!
//! `cargo bench -p paravel --bench container`

mod machine;

use std::{hint::black_box, sync::Arc};

use divan::{Bencher, counter::ItemsCount};
use paravel::{
    container::{Ambient, Container, ContainerBuilder, ContainerError, enter_sync},
    service,
};

fn main() {
    machine::print();
    divan::main();
}

/// The least a service can do, so that what is measured is the way to it.
#[service(facade = Counters)]
trait Counter {
    fn next(&self, number: u64) -> Result<u64, ContainerError>;
}

struct One;

#[service]
impl Counter for One {
    fn next(&self, number: u64) -> Result<u64, ContainerError> {
        Ok(number + 1)
    }
}

/// One value a request.
struct PerRequest(u64);

/// As many bindings as a grown application has, so that the map is not a toy.
macro_rules! crowd {
    ($builder:ident, $($number:literal)+) => {$(
        $builder.singleton(|| Arc::new([0_u8; $number]));
    )+};
}

#[expect(clippy::expect_used, reason = "a benchmark of an unsound graph would measure nothing")]
fn container() -> Container {
    let mut app = ContainerBuilder::new();
    crowd!(app, 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39
        40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63 64);
    app.singleton(|| -> Arc<dyn Counter> { Arc::new(One) });
    app.scoped(|| Arc::new(PerRequest(1)));
    app.freeze().expect("the benchmark's graph is sound")
}

/// How many calls one sample times, so that the clock itself is lost in them.
const CALLS: u64 = 1_000;

fn each(bencher: Bencher<'_, '_>, mut call: impl FnMut() + Sync + Send) {
    let bencher = bencher.counter(ItemsCount::new(CALLS));
    bencher.bench_local(move || {
        for _ in 0..CALLS {
            call();
        }
    });
}

/// Keeps the compiler from leaving the service out.
fn use_up(service: &Arc<dyn Counter>) {
    black_box(Arc::as_ptr(service).cast::<()>());
}

#[divan::bench]
fn a_arc_clone_the_bare_thing(bencher: Bencher<'_, '_>) {
    let service: Arc<dyn Counter> = Arc::new(One);
    each(bencher, || use_up(&Arc::clone(black_box(&service))));
}

#[divan::bench]
fn b_make_singleton(bencher: Bencher<'_, '_>) {
    let app = container();
    each(bencher, || {
        if let Ok(service) = black_box(&app).make::<dyn Counter>() {
            use_up(&service);
        }
    });
}

#[divan::bench]
fn c_make_scoped_again_in_a_scope(bencher: Bencher<'_, '_>) {
    let app = container().scope();
    each(bencher, || {
        if let Ok(value) = black_box(&app).make::<PerRequest>() {
            black_box(value.0);
        }
    });
}

#[divan::bench]
fn d_make_scoped_first_in_a_new_scope(bencher: Bencher<'_, '_>) {
    let app = container();
    each(bencher, || {
        if let Ok(value) = black_box(&app).scope().make::<PerRequest>() {
            black_box(value.0);
        }
    });
}

#[divan::bench]
fn e_make_and_call(bencher: Bencher<'_, '_>) {
    let app = container();
    each(bencher, || {
        if let Ok(service) = black_box(&app).make::<dyn Counter>() {
            black_box(service.next(black_box(1)).ok());
        }
    });
}

#[divan::bench]
fn f_facade_call(bencher: Bencher<'_, '_>) {
    let app = container();
    enter_sync(Ambient::new(app), || {
        each(bencher, || {
            black_box(Counters::next(black_box(1)).ok());
        });
    });
}
