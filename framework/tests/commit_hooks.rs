//! What is raised inside a transaction: it waits for the commit, and vanishes with what is rolled back.

use std::{
    future::{Future, poll_fn},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use diesel_async::AsyncConnection;
use paravel::{
    container::{self, Container},
    database::{DbError, after_commit, in_transaction},
    events::{EventBus, ListenerEntry},
};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use crate::{
    database::{insert, names, with_ships},
    events::{app, journal, note},
};

#[derive(Serialize, Deserialize)]
struct Moored {
    ship: String,
}

fn bus() -> Arc<EventBus> {
    let listener = ListenerEntry::of_fn(async |event: &Moored| {
        note_here(&format!("moored {}", event.ship));
        if event.ship == "fails" { Err("no such harbour") } else { Ok(()) }
    });
    Arc::new(EventBus::collect([listener]))
}

fn moored(ship: &str) -> Moored {
    Moored { ship: ship.to_owned() }
}

fn note_here(text: &str) {
    note(&container::current().unwrap(), text);
}

#[tokio::test]
async fn an_event_inside_a_write_waits_for_the_commit() {
    let (db, bus, app) = (with_ships(&[]).await, bus(), app());
    app.run(async {
        db.write(async move |c| {
            insert(c, "x").await?;
            bus.dispatch(moored("x")).await.unwrap();
            note_here("the closure goes on");
            Ok::<_, DbError>(())
        })
        .await
        .unwrap();
        note_here("the write has returned");
    })
    .await;
    assert_eq!(journal(&app), ["the closure goes on", "moored x", "the write has returned"]);
}

#[tokio::test]
async fn an_event_vanishes_on_an_error_and_on_a_panic() {
    let (db, app) = (with_ships(&[]).await, app());
    app.run(async {
        let bus_of_one = bus();
        let failed = db.write(async move |_| {
            bus_of_one.dispatch(moored("x")).await.unwrap();
            Err::<(), _>(DbError::Closed)
        });
        assert!(matches!(failed.await, Err(DbError::Closed)));
        let bus_of_two = bus();
        let panicked = db.write(async move |_| -> Result<(), DbError> {
            bus_of_two.dispatch(moored("x")).await.unwrap();
            panic!("overboard")
        });
        assert!(matches!(panicked.await, Err(DbError::Panicked { .. })));
        bus().dispatch(moored("outside")).await.unwrap();
    })
    .await;
    assert_eq!(journal(&app), ["moored outside"]);
}

#[tokio::test]
async fn an_event_vanishes_where_the_commit_itself_fails() {
    use paravel::database::{Connection, Statement};
    let (db, bus, app) = (with_ships(&[]).await, bus(), app());
    let orphan = app.run(db.write(async move |c| {
        bus.dispatch(moored("x")).await.unwrap();
        c.run(&Statement::new("insert into crew (ship) values (x'00')")).await?;
        Ok::<_, DbError>(())
    }));
    assert!(orphan.await.unwrap_err().is_foreign_key_violation());
    assert!(journal(&app).is_empty());
}

#[tokio::test]
async fn an_event_inside_a_savepoint_vanishes_with_it_alone() {
    let (db, app) = (with_ships(&[]).await, app());
    app.run(async {
        db.write(async |c| {
            bus().dispatch(moored("before")).await.unwrap();
            let rolled_back = c
                .transaction(async |c| {
                    bus().dispatch(moored("lost")).await.unwrap();
                    c.transaction(async |_| {
                        bus().dispatch(moored("lost with it")).await.unwrap();
                        Ok::<_, DbError>(())
                    })
                    .await?;
                    Err::<(), _>(DbError::Closed)
                })
                .await;
            assert!(rolled_back.is_err());
            c.transaction(async |_| {
                bus().dispatch(moored("kept")).await.unwrap();
                Ok::<_, DbError>(())
            })
            .await?;
            bus().dispatch(moored("after")).await.unwrap();
            Ok::<_, DbError>(())
        })
        .await
        .unwrap();
    })
    .await;
    assert_eq!(journal(&app), ["moored before", "moored kept", "moored after"]);
}

#[tokio::test]
async fn a_listener_may_use_the_database_after_the_commit() {
    let (db, app) = (with_ships(&[]).await, app());
    let inner = Arc::clone(&db.db);
    app.run(db.write(async move |c| {
        let hook = async move {
            assert_eq!(names(&inner).await, ["first"]);
            inner.write(async |c| insert(c, "second").await).await.unwrap();
        };
        assert!(after_commit(hook).await.unwrap());
        insert(c, "first").await
    }))
    .await
    .unwrap();
    assert_eq!(names(&db).await, ["first", "second"]);
}

#[tokio::test]
async fn a_hook_runs_at_once_where_no_transaction_is_open() {
    let (db, app) = (with_ships(&[]).await, app());
    app.run(async {
        assert!(!after_commit(async { note_here("outside") }).await.unwrap());
        let in_a_read =
            db.read(async |_| Ok::<_, DbError>(after_commit(async { note_here("in a read") }).await.unwrap()));
        assert!(!in_a_read.await.unwrap());
    })
    .await;
    assert_eq!(journal(&app), ["outside", "in a read"]);
    assert!(after_commit(async {}).await.is_err(), "and nowhere without an application");
}

#[tokio::test]
async fn a_hook_of_one_request_does_not_wait_for_the_transaction_of_another() {
    let (db, app) = (with_ships(&[]).await, app());
    let (other, inside) = (app.clone(), app.scope());
    inside
        .run(db.write(async move |_| {
            let beside = other.run(after_commit(async { note_here("beside") }));
            assert!(!beside.await.unwrap());
            Ok::<_, DbError>(())
        }))
        .await
        .unwrap();
    assert_eq!(journal(&app), ["beside"]);
}

#[tokio::test]
async fn a_listeners_error_after_the_commit_does_not_undo_the_write() {
    let (db, bus, app) = (with_ships(&[]).await, bus(), app());
    app.run(db.write(async move |c| {
        bus.dispatch(moored("fails")).await.unwrap();
        insert(c, "x").await
    }))
    .await
    .unwrap();
    assert_eq!((journal(&app), names(&db).await), (vec!["moored fails".to_owned()], vec!["x".to_owned()]));
}

/// Begins a write that raises an event, and goes away after its first poll.
async fn begin_and_go_away(app: &Container, test: &crate::database::TestDb) {
    let (bus, db) = (bus(), Arc::clone(&test.db));
    let mut write = Box::pin(app.run(async move {
        db.write(async move |c| {
            bus.dispatch(moored("x")).await.unwrap();
            insert(c, "x").await
        })
        .await
    }));
    poll_fn(|context| {
        assert!(write.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
}

#[tokio::test]
async fn hooks_run_although_the_caller_has_gone_away() {
    let (db, app) = (with_ships(&[]).await, app());
    begin_and_go_away(&app, &db).await;
    // The next write comes after the first, whose hooks have then been started.
    app.run(db.write(async |c| insert(c, "y").await)).await.unwrap();
    let noted = async {
        while journal(&app).is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), noted).await.unwrap();
    assert_eq!((journal(&app), names(&db).await), (vec!["moored x".to_owned()], vec!["x".to_owned(), "y".to_owned()]));
}

#[tokio::test]
async fn a_hook_that_panics_does_not_fail_the_write_that_was_committed() {
    let (db, app) = (with_ships(&[]).await, app());
    app.run(db.write(async |c| {
        after_commit(async { panic!("overboard") }).await.unwrap();
        after_commit(async { note_here("the next one") }).await.unwrap();
        insert(c, "x").await
    }))
    .await
    .unwrap();
    assert_eq!(journal(&app), ["the next one"]);
    assert_eq!(names(&db).await, ["x"]);
}

#[tokio::test]
async fn what_a_task_of_a_transaction_raises_after_its_end_waits_for_nothing() {
    for is_kept in [true, false] {
        let (db, bus, app) = (with_ships(&[]).await, bus(), app());
        let (ended, has_ended) = oneshot::channel::<()>();
        let (started, task) = oneshot::channel();
        let written = app.run(db.write(async move |_| {
            bus.dispatch(moored("inside")).await.unwrap();
            let late = container::spawn(async move {
                has_ended.await.unwrap();
                assert!(!in_transaction());
                bus.dispatch(moored("late")).await.unwrap();
            });
            started.send(late).unwrap();
            if is_kept { Ok(()) } else { Err(DbError::Closed) }
        }));
        assert_eq!(written.await.is_ok(), is_kept);
        ended.send(()).unwrap();
        task.await.unwrap().await.unwrap();
        let expected: &[&str] = if is_kept { &["moored inside", "moored late"] } else { &["moored late"] };
        assert_eq!(journal(&app), expected);
    }
}
