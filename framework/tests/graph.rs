//! Verification: every fault of the graph, each with its path, all of them together.

use std::sync::Arc;

use paravel::container::{ContainerBuilder, DependencyInfo, GraphFault, Root};

struct A;
struct B;
struct C;
struct D;
struct PerRequest;

/// Every fault, places cut off.
fn faults(fill: impl FnOnce(&mut ContainerBuilder)) -> Vec<String> {
    let mut app = ContainerBuilder::new();
    fill(&mut app);
    match app.freeze() {
        Ok(_) => Vec::new(),
        Err(faults) => faults.0.iter().map(|fault| without_lines(&fault.to_string())).collect(),
    }
}

fn without_lines(text: &str) -> String {
    let mut parts = text.split("framework/tests/graph.rs:");
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.map(|part| format!("graph.rs{}", part.trim_start_matches(|c: char| c.is_ascii_digit())));
    [first].into_iter().chain(rest).collect()
}

#[test]
fn a_sound_graph_has_no_faults() {
    let found = faults(|app| {
        app.scoped(|| Arc::new(PerRequest));
        app.bind(|_: Arc<PerRequest>, _: Option<Arc<D>>, _: Vec<Arc<C>>| Arc::new(A));
        app.scoped(|_: Arc<A>| Arc::new(B));
    });
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn verification_runs_no_factory() {
    let found = faults(|app| {
        app.singleton(|| -> Arc<A> { panic!("was run") });
        app.extend(|_: Arc<A>| -> Arc<A> { panic!("was run") });
    });
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_missing_dependency_is_reported_with_the_path_to_it() {
    let found = faults(|app| {
        app.singleton(|_: Arc<B>| Arc::new(A));
        app.bind(|_: Arc<C>| Arc::new(B));
    });
    assert_eq!(found, ["missing: nothing is bound to `C`, needed by A -> B"]);
}

#[test]
fn what_an_extender_needs_has_to_be_bound() {
    let found = faults(|app| {
        app.singleton(|| Arc::new(A));
        app.extend(|inner: Arc<A>, _: Arc<B>| inner);
    });
    assert_eq!(found, ["missing: nothing is bound to `B`, needed by A"]);
}

#[test]
fn what_a_tagged_member_needs_has_to_be_bound() {
    let found = faults(|app| {
        app.tag(|_: Arc<B>| Arc::new(A));
        app.bind(|_: Vec<Arc<A>>| Arc::new(C));
    });
    assert_eq!(found, ["missing: nothing is bound to `B`, needed by C -> Vec<A>"]);
}

#[test]
fn what_a_contextual_binding_needs_has_to_be_bound() {
    let found = faults(|app| {
        app.bind(|_: Arc<B>| Arc::new(A));
        app.when::<A>().needs::<B>().give(|_: Arc<C>| Arc::new(B));
    });
    assert_eq!(found, ["missing: nothing is bound to `C`, needed by A -> B"]);
}

#[test]
fn a_key_that_needs_itself_is_a_cycle() {
    assert_eq!(faults(|app| _ = app.bind(|_: Arc<A>| Arc::new(A))), ["cycle: A -> A"]);
}

#[test]
fn a_longer_cycle_is_reported_once_without_the_way_into_it() {
    let found = faults(|app| {
        app.bind(|_: Arc<A>| Arc::new(D));
        app.bind(|_: Arc<B>| Arc::new(A));
        app.bind(|_: Option<Arc<C>>| Arc::new(B));
        app.bind(|_: Arc<A>| Arc::new(C));
    });
    assert_eq!(found, ["cycle: A -> B -> C -> A"]);
}

#[test]
fn a_cycle_may_go_through_an_extender() {
    let found = faults(|app| {
        app.bind(|| Arc::new(A));
        app.bind(|_: Arc<A>| Arc::new(B));
        app.extend(|inner: Arc<A>, _: Arc<B>| inner);
    });
    assert_eq!(found, ["cycle: A -> B -> A"]);
}

#[test]
fn a_cycle_may_go_through_a_contextual_binding() {
    let found = faults(|app| {
        app.bind(|| Arc::new(B));
        app.bind(|_: Arc<B>| Arc::new(A));
        app.when::<A>().needs::<B>().give(|_: Arc<A>| Arc::new(B));
    });
    assert_eq!(found, ["cycle: A -> B -> A"]);
}

#[test]
fn contextual_bindings_that_need_each_other_are_a_cycle() {
    let found = faults(|app| {
        app.bind(|_: Arc<B>| Arc::new(A));
        app.when::<A>().needs::<B>().give(|_: Arc<C>| Arc::new(B));
        app.when::<B>().needs::<C>().give(|_: Arc<B>| Arc::new(C));
        app.when::<C>().needs::<B>().give(|_: Arc<C>| Arc::new(B));
    });
    assert_eq!(found, ["cycle: C -> B -> C"]);
}

#[test]
fn a_contextual_binding_may_wrap_the_general_one() {
    let found = faults(|app| {
        app.bind(|| Arc::new(B));
        app.bind(|_: Arc<B>| Arc::new(A));
        app.when::<A>().needs::<B>().give(|general: Arc<B>| general);
    });
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_member_of_a_tag_that_needs_the_whole_tag_is_a_cycle() {
    assert_eq!(faults(|app| _ = app.tag(|_: Vec<Arc<A>>| Arc::new(A))), ["cycle: Vec<A> -> Vec<A>"]);
}

#[test]
fn a_singleton_may_not_keep_a_scoped_service() {
    let found = faults(|app| {
        app.scoped(|| Arc::new(PerRequest));
        app.singleton(|_: Arc<PerRequest>| Arc::new(A));
        app.bind(|_: Arc<PerRequest>| Arc::new(B));
    });
    assert_eq!(found, ["captive: the singleton `A` would keep the scoped `PerRequest`: A -> PerRequest"]);
}

#[test]
fn a_scoped_service_is_captive_through_whatever_lies_between() {
    let path = |fill: fn(&mut ContainerBuilder)| {
        let found = faults(|app| {
            app.scoped(|| Arc::new(PerRequest));
            fill(app);
        });
        assert_eq!(found.len(), 1, "{found:?}");
        found[0].rsplit(": ").next().unwrap_or_default().to_owned()
    };
    let through_a_transient = path(|app| {
        app.singleton(|_: Option<Arc<B>>| Arc::new(A));
        app.bind(|_: Arc<PerRequest>| Arc::new(B));
    });
    assert_eq!(through_a_transient, "A -> B -> PerRequest");
    let through_an_extender = path(|app| {
        app.singleton(|| Arc::new(A));
        app.extend(|inner: Arc<A>, _: Arc<PerRequest>| inner);
    });
    assert_eq!(through_an_extender, "A -> PerRequest");
    let through_an_extended_instance = path(|app| {
        app.instance(Arc::new(A));
        app.extend(|inner: Arc<A>, _: Arc<PerRequest>| inner);
    });
    assert_eq!(through_an_extended_instance, "A -> PerRequest");
    let through_a_tag = path(|app| {
        app.tag(|_: Arc<PerRequest>| Arc::new(B));
        app.singleton(|_: Vec<Arc<B>>| Arc::new(A));
    });
    assert_eq!(through_a_tag, "A -> Vec<B> -> PerRequest");
    let through_a_contextual_binding = path(|app| {
        app.singleton(|_: Arc<B>| Arc::new(A));
        app.when::<A>().needs::<B>().give(|_: Arc<PerRequest>| Arc::new(B));
    });
    assert_eq!(through_a_contextual_binding, "A -> B -> PerRequest");
}

#[test]
fn a_contextual_binding_can_free_a_singleton_of_a_scoped_service() {
    let found = faults(|app| {
        app.scoped(|| Arc::new(PerRequest));
        app.singleton(|_: Arc<PerRequest>| Arc::new(A));
        app.when::<A>().needs::<PerRequest>().give(|| Arc::new(PerRequest));
    });
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn a_duplicate_binding_is_reported_with_both_places() {
    let mut app = ContainerBuilder::new();
    app.bind(|| Arc::new(A));
    app.singleton(|| Arc::new(A));
    let faults = app.verify().unwrap_err();
    let [GraphFault::Duplicate { key, first, second }] = faults.0.as_slice() else { panic!("{faults}") };
    let line = |place: &str| place.rsplit(':').next().and_then(|line| line.parse::<u32>().ok()).unwrap();
    assert_eq!(key, "A");
    assert!(first.contains("graph.rs:"), "{first}");
    assert_eq!(line(first) + 1, line(second));
}

#[test]
fn a_contextual_binding_may_not_be_given_twice() {
    let found = faults(|app| {
        app.bind(|_: Arc<B>| Arc::new(A));
        app.when::<A>().needs::<B>().give(|| Arc::new(B));
        app.when::<A>().needs::<B>().give(|| Arc::new(B));
    });
    let expected = "duplicate: `B for A` is bound at graph.rs and again at graph.rs; use `replace` where that is meant";
    assert_eq!(found, [expected]);
}

#[test]
fn an_extender_of_nothing_and_an_unused_contextual_binding_are_faults() {
    let found = faults(|app| {
        app.extend(|inner: Arc<A>| inner);
        app.bind(|_: Vec<Arc<C>>| Arc::new(B));
        app.when::<B>().needs::<C>().give(|| Arc::new(C));
        app.when::<D>().needs::<C>().give(|| Arc::new(C));
    });
    let expected = [
        "missing: nothing is bound to `A`, which the extender at graph.rs wraps",
        "unused: `B` does not need `C`, which the contextual binding at graph.rs gives it",
        "unused: `D` does not need `C`, which the contextual binding at graph.rs gives it",
    ];
    assert_eq!(found, expected);
}

#[test]
fn verification_starts_from_routes_commands_listeners_and_seeders_too() {
    let root = |kind, name: &str, needed| Root { kind, name: name.to_owned(), dependencies: vec![needed] };
    let found = faults(|app| {
        app.bind(|_: Arc<D>| Arc::new(C));
        app.root(root("route", "GET /a", DependencyInfo::one::<A>()));
        app.root(root("command", "user:create", DependencyInfo::of::<Arc<B>>()));
        app.root(root("listener", "app::welcome", DependencyInfo::of::<Option<Arc<A>>>()));
        app.root(root("seeder", "RoleSeeder", DependencyInfo::one::<C>()));
    });
    let expected = [
        "missing: nothing is bound to `A`, needed by route GET /a",
        "missing: nothing is bound to `B`, needed by command user:create",
        "missing: nothing is bound to `D`, needed by C",
    ];
    assert_eq!(found, expected);
}

#[test]
fn all_faults_are_reported_together_in_one_error() {
    let mut app = ContainerBuilder::new();
    app.scoped(|| Arc::new(PerRequest));
    app.singleton(|_: Arc<PerRequest>| Arc::new(A));
    app.bind(|_: Arc<C>| Arc::new(B));
    app.bind(|_: Arc<B>, _: Arc<D>| Arc::new(C));
    app.bind(|| Arc::new(A));
    app.extend(|inner: Arc<u8>| inner);
    app.when::<A>().needs::<u16>().give(|| Arc::new(1_u16));
    app.root(Root { kind: "route", name: "GET /x".to_owned(), dependencies: vec![DependencyInfo::one::<u32>()] });
    let text = without_lines(&app.freeze().err().unwrap().to_string());
    insta::assert_snapshot!(text, @"
    the container has 7 fault(s):
      - captive: the singleton `A` would keep the scoped `PerRequest`: A -> PerRequest
      - cycle: B -> C -> B
      - duplicate: `A` is bound at graph.rs and again at graph.rs; use `replace` where that is meant
      - missing: nothing is bound to `D`, needed by B -> C
      - missing: nothing is bound to `u32`, needed by route GET /x
      - missing: nothing is bound to `u8`, which the extender at graph.rs wraps
      - unused: `A` does not need `u16`, which the contextual binding at graph.rs gives it
    ");
}
