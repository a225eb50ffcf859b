//! The forms of a listener: functions, types, subscribers and listeners of all events, and what each may return.

use std::sync::Arc;

use paravel::{
    Inject,
    container::{GraphFault, Key, Root},
    database::SqliteConn,
    events::{AnyEvent, EventBus, Listener, ListenerEntry, Propagation, Subscriber, Subscriptions, subscriptions},
    foundation::{Application, ApplicationBuilder},
    listener,
    support::BoxError,
    testing::TestApp,
};
use serde::{Deserialize, Serialize};

use crate::events::{Journal, app, bus, journal, noting};

#[derive(Serialize, Deserialize)]
struct Docked {
    ship: String,
}

#[derive(Serialize, Deserialize)]
struct Undocked {
    ship: String,
}

fn docked() -> Docked {
    Docked { ship: "Splendour Hyaline".to_owned() }
}

fn undocked() -> Undocked {
    Undocked { ship: "Splendour Hyaline".to_owned() }
}

/// Listens to two events.
#[derive(Inject)]
struct Harbour {
    journal: Arc<Journal>,
    greeting: Option<Arc<str>>,
}

#[listener(priority = 3)]
impl Listener<Docked> for Harbour {
    async fn handle(&self, event: &Docked) -> Result<(), BoxError> {
        self.journal.add(format!("{}{}", self.greeting.as_deref().unwrap_or("welcome, "), event.ship));
        Ok(())
    }
}

#[listener]
impl Listener<Undocked> for Harbour {
    async fn handle(&self, event: &Undocked) {
        self.journal.add(format!("farewell, {}", event.ship));
    }
}

/// Registered explicitly alone, so it says its output itself.
#[derive(Inject)]
struct Customs {
    journal: Arc<Journal>,
}

impl Listener<Docked> for Customs {
    type Output = Propagation;

    async fn handle(&self, _event: &Docked) -> Propagation {
        self.journal.add("customs");
        Propagation::Stop
    }
}

#[tokio::test]
async fn a_type_listens_to_several_events_with_what_is_injected() {
    let (bus, app) = (bus([]), app());
    app.run(bus.dispatch(docked())).await.unwrap();
    app.run(bus.dispatch(undocked())).await.unwrap();
    assert_eq!(journal(&app), ["welcome, Splendour Hyaline", "farewell, Splendour Hyaline"]);
}

#[tokio::test]
async fn a_type_is_registered_explicitly_with_a_priority_of_its_own() {
    let (bus, app) = (bus([ListenerEntry::of::<Customs, Docked>().priority(4)]), app());
    app.run(bus.dispatch(docked())).await.unwrap();
    assert_eq!(journal(&app), ["customs"], "it stops what comes after it");
}

#[tokio::test]
async fn a_listener_that_stops_keeps_the_event_from_the_later_ones_alone() {
    let entries = [("stops", 1), ("later", 0), ("fails", 2), ("b", 1)].map(|(name, at)| noting::<Anchored>(name, at));
    let (bus, app) = (bus(entries), app());
    let error = app.run(bus.dispatch(Anchored)).await.unwrap_err();
    assert_eq!(journal(&app), ["fails", "b", "stops"]);
    assert_eq!(error.to_string(), "1 of the listeners of `Anchored` failed: fails: out of wind");
}

#[derive(Serialize, Deserialize)]
struct Anchored;

/// Several methods that listen.
#[derive(Inject)]
struct Watch {
    journal: Arc<Journal>,
}

impl Watch {
    async fn sighted(&self, event: &Sighted) -> Result<(), BoxError> {
        self.journal.add(format!("sighted {}", event.what));
        Ok(())
    }

    async fn lost(&self, _event: &Lost) -> Result<Propagation, BoxError> {
        Err("it is foggy".into())
    }

    async fn any(&self, event: &AnyEvent) {
        self.journal.add(format!("log: {}", event.name()));
    }
}

#[listener]
impl Subscriber for Watch {
    fn subscribe(events: &mut Subscriptions<Self>) {
        events.listen(Self::sighted).priority(-1);
        events.listen(Self::lost);
        events.listen(Self::any).matching("Si*ted");
    }
}

#[derive(Serialize, Deserialize)]
struct Sighted {
    what: String,
}

#[derive(Serialize, Deserialize)]
struct Lost;

#[tokio::test]
async fn the_methods_of_a_subscriber_listen_each_to_its_event() {
    let (bus, app) = (bus([noting::<Sighted>("between", 0)]), app());
    app.run(bus.dispatch(Sighted { what: "land".to_owned() })).await.unwrap();
    assert_eq!(journal(&app), ["log: Sighted", "between", "sighted land"]);
    let error = app.run(bus.dispatch(Lost)).await.unwrap_err();
    let text = "1 of the listeners of `Lost` failed: integration::listeners::Watch::lost: it is foggy";
    assert_eq!(error.to_string(), text);
}

fn root(bus: &EventBus, name: &str) -> Root {
    bus.roots().find(|root| root.name == name).unwrap_or_else(|| panic!("no root is called {name}"))
}

#[test]
fn what_types_and_subscribers_need_is_verified() {
    let bus = bus([]);
    let needs = |name| {
        let root = root(&bus, name);
        (root.kind, root.dependencies.iter().map(|needed| needed.key).collect::<Vec<_>>())
    };
    let harbour = vec![Key::of::<Journal>(), Key::of::<str>()];
    assert_eq!(needs("integration::listeners::Harbour"), ("listener", harbour));
    assert_eq!(needs("integration::listeners::Watch"), ("subscriber", vec![Key::of::<Journal>()]));
}

#[test]
fn what_an_explicit_listener_misses_is_told_once_at_start() {
    #[derive(Serialize, Deserialize)]
    struct Unwatched;

    #[derive(Inject)]
    struct Lookout {
        _glass: Arc<dyn Glass>,
    }

    trait Glass: Send + Sync {}

    impl Lookout {
        async fn one(&self, _event: &Unwatched) {}

        async fn two(&self, _event: &Unwatched) {}
    }

    impl Subscriber for Lookout {
        fn subscribe(events: &mut Subscriptions<Self>) {
            events.listen(Self::one);
            events.listen(Self::two);
        }
    }

    let builder = Application::builder().subscriber::<Lookout>();
    let builder = builder.listen(async |_: &Unwatched, _glass: Arc<dyn Glass>| {});
    let faults = builder.env(Default::default()).build().err().unwrap().to_string();
    let missing = "missing: nothing is bound to `dyn Glass`, needed by ";
    let of_subscriber = format!("{missing}subscriber {}", std::any::type_name::<Lookout>());
    assert_eq!(faults.matches(&of_subscriber).count(), 1, "{faults}");
    let of_closure = format!("{missing}listener closure at {}:", file!());
    assert_eq!(faults.matches(&of_closure).count(), 1, "{faults}");
}

#[tokio::test]
async fn a_listener_of_all_events_runs_before_their_own_and_may_stop_them() {
    let watching = |name: &'static str, pattern: &'static str| {
        let listener = async move |event: &AnyEvent, journal: Arc<Journal>| {
            journal.add(format!("{name} {} {}", event.name(), event.json().unwrap()));
            if name == "c" { Propagation::Stop } else { Propagation::Continue }
        };
        ListenerEntry::of_fn(listener).named(name).matching(pattern)
    };
    let entries = [
        noting::<Hailed>("own", 100),
        noting::<Passed>("own", 100),
        watching("b", "*ailed"),
        watching("a", "integration::listeners::Hailed").priority(-1),
        watching("c", "Pass*"),
        watching("d", "nothing::of::the::kind"),
    ];
    let (bus, app) = (bus(entries), app());
    app.run(bus.dispatch(Hailed { ship: "Hyaline".to_owned() })).await.unwrap();
    app.run(bus.dispatch(Passed(7))).await.unwrap();
    let seen = [r#"b Hailed {"ship":"Hyaline"}"#, r#"a Hailed {"ship":"Hyaline"}"#, "own", "c Passed 7"];
    assert_eq!(journal(&app), seen);
}

#[derive(Serialize, Deserialize)]
struct Hailed {
    ship: String,
}

#[derive(Serialize, Deserialize)]
struct Passed(u8);

#[tokio::test]
async fn an_event_with_nothing_but_a_listener_of_all_events_is_heard() {
    let heard = ListenerEntry::of_fn(async |event: &AnyEvent, journal: Arc<Journal>| {
        assert!(event.downcast_ref::<Passed>().is_none());
        journal.add(event.type_name());
    });
    let (bus, app) = (bus([heard]), app());
    app.run(bus.dispatch(Anchored)).await.unwrap();
    assert_eq!(journal(&app), ["integration::listeners::Anchored"]);
}

#[test]
fn a_pattern_of_a_listener_of_one_event_is_a_fault() {
    let bus = bus([noting::<Anchored>("a", 0).matching("Anch*")]);
    let reason = "it hears `Anchored` alone, so `Anch*` means nothing; let it take `&AnyEvent`".to_owned();
    assert_eq!(bus.faults(), [GraphFault::Listener { listener: "a".to_owned(), reason }]);
}

#[test]
fn what_is_registered_twice_is_a_fault() {
    let bus = bus(subscriptions::<Watch>().into_iter().chain([ListenerEntry::of::<Harbour, Undocked>()]));
    let called = |of: &str, name: &str| {
        GraphFault::DuplicateName(format!(
            "two listeners of {of} are called `integration::listeners::{name}`: name one of them, by `name = \"..\"` or `.named(..)`"
        ))
    };
    let expected = [
        called("`Lost`", "Watch::lost"),
        called("`Sighted`", "Watch::sighted"),
        called("`Undocked`", "Harbour"),
        called("all events", "Watch::any"),
    ];
    assert_eq!(bus.faults(), expected);
}

/// An application with what the listeners of these tests need.
fn test_builder() -> ApplicationBuilder {
    Application::builder().database::<SqliteConn>(&[]).replace(|app| {
        app.instance(Arc::new(Journal::default()));
    })
}

async fn by_function(event: &Docked, journal: Arc<Journal>) -> Result<(), BoxError> {
    journal.add(format!("by function {}", event.ship));
    Ok(())
}

#[tokio::test]
async fn functions_and_closures_are_registered_when_the_application_is_built() {
    let closed_over = Arc::new(Journal::default());
    let shared = Arc::clone(&closed_over);
    let builder = test_builder().listen(by_function).listen(async move |event: &Docked| {
        tokio::task::yield_now().await;
        shared.add(format!("by closure {}", event.ship));
    });
    let app = TestApp::boot(builder).await.unwrap();
    let bus: Arc<EventBus> = app.make().unwrap();
    app.run(bus.dispatch(docked())).await.unwrap();
    assert_eq!(closed_over.lines(), ["by closure Splendour Hyaline"]);
    let journal = app.make::<Journal>().unwrap().lines();
    assert_eq!(journal, ["welcome, Splendour Hyaline", "by function Splendour Hyaline"]);
}

#[tokio::test]
async fn event_list_shows_who_hears_what_in_the_order_in_which_they_run() {
    let counts = ListenerEntry::of_fn(async |_: &AnyEvent| {}).named("counts").matching("Nobody*");
    let listeners = [("late", -2), ("b", 0), ("a", 0), ("early", 2)].map(|(name, at)| noting::<Anchored>(name, at));
    let builder = test_builder().listener(counts);
    let builder = listeners.into_iter().fold(builder, |builder, entry| builder.listener(entry));
    let app = TestApp::boot(builder).await.unwrap();
    let lines: Vec<serde_json::Value> =
        serde_json::from_str(&app.artisan(&["event:list", "--json"]).await.unwrap()).unwrap();
    let of_anchored: Vec<_> = lines.iter().filter(|line| line["event"] == "Anchored").collect();
    let order: Vec<_> = of_anchored.iter().map(|line| (line["listener"].as_str(), line["priority"].as_i64())).collect();
    let expected = [(Some("early"), Some(2)), (Some("a"), Some(0)), (Some("b"), Some(0)), (Some("late"), Some(-2))];
    assert_eq!(order, expected);
    let whole = serde_json::json!({
        "event": "Anchored", "type": "integration::listeners::Anchored", "listener": "early", "priority": 2, "runs": "sync",
    });
    assert_eq!(*of_anchored[0], whole);
    let observer = lines.iter().position(|line| line["event"] == "Nobody*").unwrap();
    let first_own = lines.iter().position(|line| !line["type"].is_null()).unwrap();
    assert!(observer < first_own, "what runs first is shown first: {lines:?}");
    let text = app.artisan(&["event:list"]).await.unwrap();
    assert!(text.contains(" Anchored") && text.contains("early") && text.contains(" 2 "), "{text}");
}
