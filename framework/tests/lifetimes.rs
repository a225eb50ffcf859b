//! How long services live: singletons under concurrency, failures, scopes, and cycles that no graph can see.

use std::sync::{
    Arc, Barrier,
    atomic::{AtomicUsize, Ordering},
};

use paravel::container::{self, Ambient, Container, ContainerBuilder, ContainerError, Scope, enter_sync};

fn build(fill: impl FnOnce(&mut ContainerBuilder)) -> Container {
    let mut app = ContainerBuilder::new();
    fill(&mut app);
    app.freeze().unwrap()
}

fn under<R>(app: &Container, function: impl FnOnce() -> R) -> R {
    enter_sync(Ambient::new(app.clone()), function)
}

#[test]
fn a_singletons_factory_runs_once_under_many_concurrent_callers() {
    const CALLERS: usize = 64;
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let app = build(|app| {
        app.singleton(move || {
            // Gives the others every chance to come in.
            std::thread::yield_now();
            Arc::new(counter.fetch_add(1, Ordering::SeqCst))
        });
    });
    let barrier = Barrier::new(CALLERS);
    let made: Vec<Arc<usize>> = std::thread::scope(|threads| {
        let one = || {
            barrier.wait();
            app.make::<usize>().unwrap()
        };
        let all: Vec<_> = (0..CALLERS).map(|_| threads.spawn(one)).collect();
        all.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    assert!(made.iter().all(|each| Arc::ptr_eq(each, &made[0])));
}

#[test]
fn two_threads_whose_singletons_ask_for_each_other_both_get_an_answer() {
    for _ in 0..50 {
        let app = build(|app| {
            app.singleton(|| container::current()?.make::<u64>().map(|n| Arc::new(*n as u32)));
            app.singleton(|| container::current()?.make::<u32>().map(|n| Arc::new(u64::from(*n))));
        });
        let barrier = Barrier::new(2);
        let together = |ask: fn(&Container) -> bool| {
            barrier.wait();
            under(&app, || ask(&app))
        };
        std::thread::scope(|threads| {
            let one = threads.spawn(|| together(|app| app.make::<u32>().is_err()));
            let other = threads.spawn(|| together(|app| app.make::<u64>().is_err()));
            assert!(one.join().unwrap() && other.join().unwrap());
        });
    }
}

#[test]
fn a_factory_that_fails_leaves_the_slot_empty_for_the_next_caller() {
    let calls = AtomicUsize::new(0);
    let app = build(|app| {
        app.singleton(move || match calls.fetch_add(1, Ordering::SeqCst) {
            0 => Err("not yet"),
            1 => panic!("not yet either"),
            n => Ok(Arc::new(n)),
        });
    });
    let failed = app.make::<usize>().unwrap_err();
    assert!(matches!(failed, ContainerError::Failed { .. }));
    assert_eq!(failed.to_string(), "the factory of `usize` failed: not yet");
    let panicked = app.make::<usize>().unwrap_err();
    assert!(matches!(panicked, ContainerError::Panicked { .. }));
    assert_eq!(panicked.to_string(), "the factory of `usize` panicked: not yet either");
    assert_eq!(*app.make::<usize>().unwrap(), 2);
    assert_eq!(*app.make::<usize>().unwrap(), 2, "and then it is kept");
}

#[test]
fn a_panic_further_down_names_the_factory_that_panicked() {
    let app = build(|app| {
        app.bind(|| -> Arc<u8> { panic!("{} is out of order", "u8") });
        app.singleton(|_: Arc<u8>| Arc::new(1_u16));
        app.scoped(|_: Arc<u16>| Arc::new(1_u32));
    });
    let error = app.scope().make::<u32>().unwrap_err();
    assert_eq!(error.to_string(), "the factory of `u8` panicked: u8 is out of order");
}

#[test]
fn a_scoped_service_is_one_within_a_scope_and_another_in_the_next() {
    let app = build(|app| {
        app.scoped(|| Arc::new(String::new()));
        app.bind(|inner: Arc<String>| Arc::new(vec![inner]));
    });
    let (one, other) = (app.scope(), app.scope());
    let first = one.make::<String>().unwrap();
    assert!(Arc::ptr_eq(&first, &one.make::<String>().unwrap()));
    assert!(Arc::ptr_eq(&first, &one.make::<Vec<Arc<String>>>().unwrap()[0]));
    assert!(!Arc::ptr_eq(&first, &other.make::<String>().unwrap()));
}

#[test]
fn a_scoped_service_outside_any_scope_is_an_error_that_says_so() {
    let app = build(|app| {
        app.scoped(|| Arc::new(String::new()));
    });
    let error = app.make::<String>().unwrap_err();
    assert!(matches!(error, ContainerError::NoScope { .. }));
    assert!(error.to_string().starts_with("`String` is scoped to one request, job or command"), "{error}");
}

#[test]
fn a_scoped_factory_that_fails_leaves_its_slot_empty() {
    let calls = AtomicUsize::new(0);
    let app = build(|app| {
        app.scoped(move || (calls.fetch_add(1, Ordering::SeqCst) > 0).then(|| Arc::new(1_u8)).ok_or("not yet"));
    });
    let scope = app.scope();
    assert!(scope.make::<u8>().is_err());
    assert_eq!(*scope.make::<u8>().unwrap(), 1);
}

#[test]
fn a_scope_that_resolves_no_scoped_service_makes_room_for_none() {
    let app = build(|app| {
        app.scoped(|| Arc::new(String::new()));
        app.singleton(|| Arc::new(1_u8));
    });
    let scoped = app.scope();
    let scope = scoped.current_scope().unwrap();
    scope.set("a value is not a service");
    scoped.make::<u8>().unwrap();
    assert!(!scope.has_services());
    scoped.make::<String>().unwrap();
    assert!(scope.has_services());
}

#[test]
fn a_child_scope_sees_its_parents_values_and_shares_its_services() {
    let app = build(|app| {
        app.scoped(|| Arc::new(String::new()));
    });
    let parent = Arc::new(Scope::new());
    parent.set(1_u8);
    parent.set("the parent's");
    let child = Arc::new(parent.child());
    child.set(2_u8);
    assert_eq!((child.get::<u8>().as_deref(), parent.get::<u8>().as_deref()), (Some(&2), Some(&1)));
    assert_eq!(child.get::<&str>().as_deref(), Some(&"the parent's"));
    assert_eq!(*child.get_or_set(|| "not asked for"), "the parent's");
    let (below, above) = (app.with_scope(Arc::clone(&child)), app.with_scope(Arc::clone(&parent)));
    assert!(Arc::ptr_eq(&below.make::<String>().unwrap(), &above.make::<String>().unwrap()));
    assert!(parent.has_services() && child.has_services());
}

#[test]
fn a_scopes_value_is_set_once_under_concurrent_callers() {
    let scope = Scope::new();
    let barrier = Barrier::new(16);
    let values: Vec<_> = std::thread::scope(|threads| {
        let one = |n: usize| {
            let (barrier, scope) = (&barrier, &scope);
            move || {
                barrier.wait();
                scope.get_or_set(|| n)
            }
        };
        let all: Vec<_> = (0..16).map(|n| threads.spawn(one(n))).collect();
        all.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(values.iter().all(|value| Arc::ptr_eq(value, &values[0])));
}

#[test]
fn a_factory_that_asks_for_itself_is_a_cycle_and_not_a_hang() {
    let app = build(|app| {
        app.singleton(|_: Arc<u16>| Arc::new(1_u8));
        app.bind(|| container::current()?.make::<u8>().map(|n| Arc::new(u16::from(*n))));
    });
    let error = under(&app, || app.make::<u8>().unwrap_err());
    let text = error.to_string();
    assert!(text.ends_with("`u8` is being made already: u8 -> u16 -> u8"), "{text}");
    assert!(under(&app, || app.make::<u8>()).is_err(), "nothing is left locked");
}

#[test]
fn a_cycle_is_returned_as_it_is_where_the_factory_passes_it_on() {
    let app = build(|app| {
        app.scoped(|| Arc::new(container::current().unwrap().make::<u8>().err()));
        app.scoped(|_: Arc<Option<ContainerError>>| Arc::new(1_u8));
    });
    let scope = app.scope();
    under(&scope, || scope.make::<u8>().unwrap());
    let met = scope.make::<Option<ContainerError>>().unwrap();
    let Some(ContainerError::Cycle { key, path }) = &*met else { panic!("{met:?}") };
    assert_eq!((key.to_string().as_str(), path.len()), ("u8", 3));
}

#[test]
fn a_member_of_a_tag_that_asks_for_the_whole_tag_is_a_cycle_too() {
    let app = build(|app| {
        app.tag(|| container::current()?.tagged::<u8>().map(|all| Arc::new(all.len() as u8)));
    });
    let error = under(&app, || app.tagged::<u8>().unwrap_err());
    assert!(error.to_string().contains("is being made already"), "{error}");
}

#[test]
fn a_singleton_may_not_reach_a_scoped_service_behind_the_graphs_back() {
    let app = build(|app| {
        app.scoped(|| Arc::new(1_u8));
        app.bind(|| container::current()?.make::<u8>().map(|n| Arc::new(u16::from(*n))));
        app.singleton(|n: Arc<u16>| Arc::new(u32::from(*n)));
    });
    let scope = app.scope();
    under(&scope, || scope.make::<u8>().unwrap());
    let error = under(&scope, || scope.make::<u32>().unwrap_err()).to_string();
    assert!(error.contains("a singleton that is being made would keep it: u32 -> u16 -> u8"), "{error}");
    assert_eq!(*under(&scope, || scope.make::<u16>().unwrap()), 1, "which a transient may");
}

#[test]
fn one_container_may_be_asked_while_another_makes_the_same_key() {
    let inner = build(|app| {
        app.singleton(|| Arc::new(1_u8));
    });
    let outer = build(|app| {
        app.singleton(move || inner.make::<u8>().map(|n| Arc::new(*n + 1)));
    });
    assert_eq!(*outer.make::<u8>().unwrap(), 2);
}
