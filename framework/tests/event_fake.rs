//! Events that are recorded in place of their listeners' running.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use paravel::{
    container::{Container, ContainerBuilder, ContainerError},
    database::DbError,
    events::{EventBus, EventError, EventFake},
    facades::Event,
};
use serde::{Deserialize, Serialize};

use crate::{
    database::with_ships,
    events::{Journal, bus, journal, noting},
};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Rowed(u8);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Swum;

fn app() -> Container {
    let mut app = ContainerBuilder::new();
    app.instance(Arc::new(Journal::default()));
    app.instance(bus([noting::<Rowed>("rowed", 0), noting::<Swum>("swum", 0)]));
    app.freeze().unwrap().scope()
}

async fn row(app: &Container, times: u8) {
    app.run(Event::dispatch(Rowed(times))).await.unwrap();
}

async fn swim(app: &Container) {
    app.run(Event::dispatch(Swum)).await.unwrap();
}

async fn fake(app: &Container) -> EventFake {
    app.run(async { Event::fake() }).await.unwrap()
}

/// What an assertion that fails says.
fn failed(assertion: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(assertion)).expect_err("the assertion holds");
    *panic.downcast::<String>().unwrap()
}

#[tokio::test]
async fn what_is_faked_is_recorded_and_reaches_no_listener() {
    let app = app();
    let events = fake(&app).await;
    events.assert_nothing_dispatched();
    row(&app, 1).await;
    row(&app, 2).await;
    assert!(journal(&app).is_empty());
    assert_eq!(events.dispatched::<Rowed>(), [Rowed(1), Rowed(2)]);
    events.assert_dispatched::<Rowed>(|rowed| rowed.0 == 2);
    events.assert_dispatched_times::<Rowed>(2);
    events.assert_not_dispatched::<Swum>();
}

#[tokio::test]
async fn an_assertion_that_fails_says_what_was_dispatched() {
    let app = app();
    let events = fake(&app).await;
    let nothing = failed(|| events.assert_dispatched::<Rowed>(|_| true));
    assert_eq!(nothing, "no `Rowed` was dispatched for which that holds; nothing was dispatched");
    row(&app, 1).await;
    swim(&app).await;
    let all = "; what was dispatched:\n  Rowed 1\n  Swum null";
    let said = failed(|| events.assert_dispatched::<Rowed>(|rowed| rowed.0 == 2));
    assert_eq!(said, format!("no `Rowed` was dispatched for which that holds{all}"));
    assert_eq!(failed(|| events.assert_not_dispatched::<Swum>()), format!("`Swum` was dispatched{all}"));
    assert_eq!(failed(|| events.assert_nothing_dispatched()), format!("something was dispatched{all}"));
    let times = failed(|| events.assert_dispatched_times::<Rowed>(2));
    assert_eq!(times, format!("`Rowed` was dispatched 1 time(s), not 2{all}"));
}

#[tokio::test]
async fn only_what_is_named_is_faked_and_nothing_that_is_excepted() {
    let app = app();
    let events = fake(&app).await.only::<Rowed>();
    row(&app, 1).await;
    swim(&app).await;
    events.assert_dispatched_times::<Rowed>(1);
    events.assert_not_dispatched::<Swum>();
    assert_eq!(journal(&app), ["swum"]);
    let events = fake(&app).await.except::<Rowed>();
    row(&app, 1).await;
    swim(&app).await;
    events.assert_dispatched_times::<Swum>(1);
    events.assert_not_dispatched::<Rowed>();
    assert_eq!(journal(&app), ["swum", "rowed"]);
}

#[tokio::test]
async fn what_nobody_hears_is_recorded_too() {
    #[derive(Serialize, Deserialize)]
    struct Unheard;
    let app = app();
    let events = fake(&app).await;
    app.run(Event::dispatch(Unheard)).await.unwrap();
    events.assert_dispatched_times::<Unheard>(1);
}

#[tokio::test]
async fn an_event_counts_as_dispatched_when_its_transaction_is_committed() {
    let (db, app) = (with_ships(&[]).await, app());
    let events = fake(&app).await;
    let inside = events.clone();
    let committed = app.run(db.write(async move |_| {
        Event::dispatch(Rowed(1)).await.unwrap();
        inside.assert_nothing_dispatched();
        Ok::<_, DbError>(())
    }));
    committed.await.unwrap();
    events.assert_dispatched_times::<Rowed>(1);
    let rolled_back = app.run(db.write(async |_| {
        Event::dispatch(Rowed(2)).await.unwrap();
        Err::<(), _>(DbError::Closed)
    }));
    rolled_back.await.unwrap_err();
    assert_eq!(events.dispatched::<Rowed>(), [Rowed(1)]);
}

#[tokio::test]
async fn two_applications_at_once_have_fakes_of_their_own() {
    let (one, two, three) = (app(), app(), app());
    let (of_one, of_two) = (fake(&one).await, fake(&two).await);
    tokio::join!(row(&one, 1), row(&two, 2), row(&three, 3));
    assert_eq!(of_one.dispatched::<Rowed>(), [Rowed(1)]);
    assert_eq!(of_two.dispatched::<Rowed>(), [Rowed(2)]);
    assert_eq!((journal(&one), journal(&three)), (vec![], vec!["rowed".to_owned()]));
}

#[tokio::test]
async fn outside_any_application_there_is_nothing_to_fake() {
    let error = Event::fake().err().unwrap();
    assert!(matches!(error, EventError::Container(ContainerError::NoApplication(_))));
    let bus: Arc<EventBus> = bus([]);
    let events = bus.fake();
    let error = bus.dispatch(Swum).await.unwrap_err();
    assert!(matches!(error, EventError::Container(ContainerError::NoApplication(_))));
    events.assert_nothing_dispatched();
}
