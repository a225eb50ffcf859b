//! Events: the order of listeners, and what one that fails does to the others.

use std::{sync::Arc, time::Duration};

use paravel::{
    container::{Container, ContainerBuilder, ContainerError, GraphFault, Inject, Key},
    events::{Event, EventBus, EventError, ListenerEntry, Propagation},
    listener,
    support::BoxError,
};
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// What the listeners of a test have done, in order.
#[derive(Default)]
pub struct Journal(pub Mutex<Vec<String>>);

impl Journal {
    pub fn add(&self, text: impl Into<String>) {
        self.0.lock().push(text.into());
    }

    pub fn lines(&self) -> Vec<String> {
        self.0.lock().clone()
    }
}

/// Writes into the journal of the application that runs.
pub fn note(app: &Container, text: impl Into<String>) {
    app.make::<Journal>().unwrap().add(text);
}

pub fn app() -> Container {
    let mut app = ContainerBuilder::new();
    app.instance(Arc::new(Journal::default()));
    app.freeze().unwrap().scope()
}

pub fn journal(app: &Container) -> Vec<String> {
    app.make::<Journal>().unwrap().lines()
}

#[derive(Serialize, Deserialize)]
struct Ordered;

/// A listener that notes its name, and then fails, panics or stops others where it is called so.
pub fn noting<E: Event>(name: &'static str, priority: i32) -> ListenerEntry {
    let listener = async move |_: &E, journal: Arc<Journal>| {
        journal.add(name);
        match name {
            "fails" => Err("out of wind"),
            "panics" => panic!("overboard"),
            "stops" => Ok(Propagation::Stop),
            _ => Ok(Propagation::Continue),
        }
    };
    ListenerEntry::of_fn(listener).named(name).priority(priority)
}

pub fn bus(entries: impl IntoIterator<Item = ListenerEntry>) -> Arc<EventBus> {
    Arc::new(EventBus::collect(entries))
}

#[tokio::test]
async fn listeners_run_by_priority_and_then_by_name() {
    let listeners = [("other", -1), ("b", 0), ("fails", 7), ("a", 0)];
    let bus = bus(listeners.map(|(name, at)| noting::<Ordered>(name, at)));
    let app = app();
    app.run(bus.dispatch(Ordered)).await.unwrap_err();
    assert_eq!(journal(&app), ["fails", "a", "b", "other"]);
}

#[tokio::test]
async fn a_listener_that_fails_or_panics_does_not_hide_the_others_and_all_are_reported() {
    let bus = bus([("fails", 2), ("panics", 1), ("a", 0)].map(|(name, at)| noting::<Ordered>(name, at)));
    let app = app();
    let error = app.run(bus.dispatch(Ordered)).await.unwrap_err();
    assert_eq!(journal(&app), ["fails", "panics", "a"]);
    let text = "2 of the listeners of `Ordered` failed: fails: out of wind; panics: panicked: overboard";
    assert_eq!(error.to_string(), text);
    let EventError::Listeners { failures, .. } = error else { panic!("{error}") };
    assert_eq!(failures.iter().map(|failure| &*failure.listener).collect::<Vec<_>>(), ["fails", "panics"]);
}

#[tokio::test]
async fn an_event_without_listeners_reaches_nobody() {
    #[derive(Serialize, Deserialize)]
    struct Unheard;
    let bus = bus([]);
    bus.dispatch(Unheard).await.unwrap();
}

#[tokio::test]
async fn an_event_outside_any_application_is_an_error() {
    let bus = bus([("a", 0)].map(|(name, at)| noting::<Ordered>(name, at)));
    let error = bus.dispatch(Ordered).await.unwrap_err();
    assert!(matches!(error, EventError::Container(ContainerError::NoApplication(_))));
}

#[test]
fn two_listeners_of_one_event_with_one_name_are_a_fault() {
    let bus = EventBus::collect([noting::<Ordered>("a", 0), noting::<Ordered>("a", 1), noting::<Ordered>("b", 0)]);
    assert_eq!(
        bus.faults(),
        [GraphFault::DuplicateName(
            "two listeners of `Ordered` are called `a`: name one of them, by `name = \"..\"` or `.named(..)`"
                .to_owned()
        )]
    );
}

#[derive(Serialize, Deserialize)]
struct Launched {
    ship: String,
}

/// Notes who was launched, by way of what it has injected.
#[listener(priority = -3)]
async fn note_launch(
    Launched { ship }: &Launched,
    journal: Inject<Journal>,
    greeting: Option<Arc<str>>,
    _all: Vec<Arc<u8>>,
) -> Result<(), std::convert::Infallible> {
    journal.add(format!("{}{ship}", greeting.as_deref().unwrap_or("launched ")));
    Ok(())
}

/// A name that the macro's own code might use.
#[listener]
async fn container(event: &Launched, event_journal: Arc<Journal>) -> Result<(), BoxError> {
    event_journal.add(format!("first {}", event.ship));
    Ok(())
}

#[tokio::test]
async fn a_listener_is_registered_where_it_stands_and_gets_what_it_needs() {
    let bus = bus([]);
    let app = app();
    app.run(bus.dispatch(Launched { ship: "Swanwhite".to_owned() })).await.unwrap();
    assert_eq!(journal(&app), ["first Swanwhite", "launched Swanwhite"]);
}

#[test]
fn a_listeners_needs_are_roots_of_the_graph() {
    let bus = EventBus::collect([]);
    let root = bus.roots().find(|root| root.name == "integration::events::note_launch").unwrap();
    let keys: Vec<_> = root.dependencies.iter().map(|needed| needed.key).collect();
    assert_eq!((root.kind, keys), ("listener", vec![Key::of::<Journal>(), Key::of::<str>(), Key::of::<u8>()]));
    let mut app = ContainerBuilder::new();
    app.root(root);
    let faults = app.verify().unwrap_err().to_string();
    let expected = "missing: nothing is bound to `Journal`, needed by listener integration::events::note_launch";
    assert!(faults.ends_with(expected), "{faults}");
}

#[tokio::test]
async fn a_listener_whose_service_cannot_be_made_has_failed() {
    let bus = bus([]);
    let app = ContainerBuilder::new().freeze().unwrap();
    let error = app.run(bus.dispatch(Launched { ship: String::new() })).await.unwrap_err();
    assert!(error.to_string().contains("note_launch: nothing is bound to `Journal`"), "{error}");
}

/// Begins to dispatch to a listener that waits, and one after it, and goes away. Gives what lets the first go on.
async fn dispatch_and_go_away(app: &Container) -> Arc<Notify> {
    let go_on = Arc::new(Notify::new());
    let waits = Arc::clone(&go_on);
    let waiting = ListenerEntry::of_fn(async move |_: &Ordered, journal: Arc<Journal>| {
        journal.add("begins");
        waits.notified().await;
        journal.add("goes on");
    });
    let bus = bus([waiting.priority(1), noting::<Ordered>("after it", 0)]);
    let mut dispatch = Box::pin(app.run(bus.dispatch(Ordered)));
    assert!(futures_util::poll!(&mut dispatch).is_pending());
    go_on
}

#[tokio::test]
async fn all_listeners_run_although_the_caller_goes_away() {
    let app = app();
    dispatch_and_go_away(&app).await.notify_one();
    let noted = async {
        while journal(&app).len() < 3 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), noted).await.unwrap();
    assert_eq!(journal(&app), ["begins", "goes on", "after it"]);
}
