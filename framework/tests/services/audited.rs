//! What the audit log says of calls, and of which.

use std::{
    collections::BTreeSet,
    future::pending,
    sync::{Arc, atomic::Ordering},
};

use futures_util::future::{BoxFuture, FutureExt};
use paravel::{
    auth::{Actor, Gate},
    container::{Container, ContainerBuilder},
    database::{Db, DbError, SqliteConn},
    service,
    service::{AuditEntry, AuditLog, AuditOutcome, ConcurrencyLimit, WhoActs},
    support::{BoxError, Clock, FakeClock, Timestamp},
    tracing::subscriber,
};
use parking_lot::Mutex;
use serde::Serialize;
use uuid::Uuid;

use super::{CraneError, Harbour, logging::Lines};
use crate::database::empty;

/// Not `Clone`, and only its number is to be seen.
#[derive(Debug, Serialize)]
pub struct Berth {
    number: u8,
    ship: Option<String>,
    #[serde(skip)]
    _papers: Opaque,
}

#[derive(Debug, Default)]
pub struct Opaque;

/// What is to be changed of a berth; not `Clone`.
#[derive(Debug)]
pub struct Change {
    pub number: u8,
    pub ship: String,
}

#[service]
pub trait BerthService {
    async fn find(&self, number: u8) -> Result<Berth, CraneError>;
    async fn named(&self, ship: &str) -> Result<Option<Berth>, CraneError>;
    #[audited("berth.moored", before = find(number))]
    async fn moor(&self, number: u8, ship: &str, #[secret] papers: &str) -> Result<Berth, CraneError>;
    /// What it returns says nothing.
    #[audited("berth.changed", before = find(change.number), after = named(&change.ship))]
    async fn change(&self, change: Change) -> Result<(), CraneError>;
    #[audited("berth.cleared")]
    async fn clear(&self, number: u8) -> Result<Opaque, CraneError>;
    #[audited("berth.counted")]
    async fn count(&self) -> Result<usize, CraneError>;
    #[audited("berth.awaited")]
    async fn wait(&self) -> Result<(), CraneError>;
    #[audited("berth.sunk")]
    async fn sink(&self) -> Result<(), CraneError>;
    fn room(&self) -> usize;
}

/// The ships at two berths.
#[derive(Default)]
pub struct Berths(Mutex<[Option<String>; 2]>, Harbour);

impl Berths {
    fn at(&self, number: u8) -> Result<Berth, CraneError> {
        let ships = self.0.lock();
        let ship = ships.get(usize::from(number)).ok_or(CraneError::Unknown(number.into()))?;
        Ok(Berth { number, ship: ship.clone(), _papers: Opaque })
    }

    fn put(&self, number: u8, ship: &str) -> Result<Berth, CraneError> {
        *self.0.lock().get_mut(usize::from(number)).ok_or(CraneError::Unknown(number.into()))? = Some(ship.to_owned());
        self.at(number)
    }
}

#[service]
impl BerthService for Berths {
    async fn find(&self, number: u8) -> Result<Berth, CraneError> {
        self.at(number)
    }

    async fn named(&self, ship: &str) -> Result<Option<Berth>, CraneError> {
        let number = self.0.lock().iter().position(|there| there.as_deref() == Some(ship));
        number.map(|number| self.at(number as u8)).transpose()
    }

    async fn moor(&self, number: u8, ship: &str, _: &str) -> Result<Berth, CraneError> {
        self.put(number, ship)
    }

    async fn change(&self, change: Change) -> Result<(), CraneError> {
        self.put(change.number, &change.ship).map(drop)
    }

    async fn clear(&self, number: u8) -> Result<Opaque, CraneError> {
        self.0.lock()[usize::from(number)] = None;
        Ok(Opaque)
    }

    async fn count(&self) -> Result<usize, CraneError> {
        Ok(self.0.lock().iter().flatten().count())
    }

    async fn wait(&self) -> Result<(), CraneError> {
        self.1.calls.fetch_add(1, Ordering::SeqCst);
        pending().await
    }

    async fn sink(&self) -> Result<(), CraneError> {
        panic!("overboard")
    }

    fn room(&self) -> usize {
        2
    }
}

/// What returns no `Result`.
#[service]
trait Tallies {
    #[audited("berth.tallied")]
    async fn tally(&self, berths: u8) -> u8;
    #[audited("berth.forgotten")]
    async fn forget(&self) -> Opaque;
}

#[service]
impl Tallies for Berths {
    async fn tally(&self, berths: u8) -> u8 {
        berths * 2
    }

    async fn forget(&self) -> Opaque {
        Opaque
    }
}

/// Keeps entries in memory, or refuses them.
#[derive(Default)]
struct Kept {
    entries: Mutex<Vec<AuditEntry>>,
    refuses: bool,
}

impl AuditLog for Kept {
    fn write(&self, entry: AuditEntry) -> BoxFuture<'_, Result<(), BoxError>> {
        async move {
            tokio::task::yield_now().await;
            if self.refuses {
                return Err("the log is full".into());
            }
            self.entries.lock().push(entry);
            Ok(())
        }
        .boxed()
    }
}

impl Kept {
    fn last(&self) -> AuditEntry {
        self.entries.lock().last().cloned().unwrap()
    }
}

/// A container of berths whose calls go to this log.
pub fn app(log: Arc<dyn AuditLog>, more: impl FnOnce(&mut ContainerBuilder)) -> Container {
    let mut app = ContainerBuilder::new();
    app.singleton(|| -> Arc<dyn BerthService> { Arc::new(Berths::default()) });
    app.instance(log);
    app.instance(Arc::new(Gate));
    app.instance::<dyn WhoActs>(Arc::new(Gate));
    app.instance::<dyn Clock>(Arc::new(FakeClock::at(Timestamp::from_unix(1_700_000_000))));
    more(&mut app);
    app.freeze().unwrap().scope()
}

fn audited(log: &Arc<Kept>) -> (Container, Arc<dyn BerthService>) {
    let app = app(Arc::clone(log) as _, |app| {
        app.decorate::<dyn BerthService>().audited();
    });
    let berths = app.make().unwrap();
    (app, berths)
}

#[tokio::test]
async fn an_entry_says_who_did_what_when_and_what_it_changed() {
    let log = Arc::<Kept>::default();
    let (app, berths) = audited(&log);
    let who = Uuid::now_v7();
    let scope = app.current_scope().unwrap();
    scope.set(Actor { id: who, permissions: BTreeSet::new(), token: None });
    let moored = app.run(berths.moor(1, "Dawn \"Treader\"", "hunter22")).await.unwrap();
    assert_eq!(moored.ship.as_deref(), Some("Dawn \"Treader\""));
    let entry = log.last();
    assert_eq!(entry.actor, Some(who.to_string()));
    assert_eq!(entry.occurred_at, Timestamp::from_unix(1_700_000_000));
    assert_eq!((entry.action, entry.service, entry.method), ("berth.moored", "BerthService", "moor"));
    assert_eq!(entry.arguments, r#"number=1 ship="Dawn \"Treader\"" papers=[secret]"#);
    assert_eq!((entry.outcome, entry.error), (AuditOutcome::Done, None));
    assert_eq!(entry.before.as_deref(), Some(r#"{"number":1,"ship":null}"#));
    assert_eq!(entry.after.as_deref(), Some(r#"{"number":1,"ship":"Dawn \"Treader\""}"#));
}

#[tokio::test]
async fn a_failure_is_written_too_with_its_error() {
    let log = Arc::<Kept>::default();
    let (_, berths) = audited(&log);
    assert_eq!(berths.moor(9, "Swanwhite", "").await.unwrap_err(), CraneError::Unknown(9));
    let entry = log.last();
    assert_eq!((entry.outcome, entry.error.as_deref()), (AuditOutcome::Failed, Some("there is no crane 9")));
    assert_eq!((entry.actor, entry.before, entry.after), (None, None, None));
}

#[tokio::test]
async fn what_came_after_may_be_asked_of_another_method() {
    let log = Arc::<Kept>::default();
    let (_, berths) = audited(&log);
    berths.change(Change { number: 0, ship: "Swanwhite".to_owned() }).await.unwrap();
    let entry = log.last();
    assert_eq!(entry.before.as_deref(), Some(r#"{"number":0,"ship":null}"#));
    assert_eq!(entry.after.as_deref(), Some(r#"{"number":0,"ship":"Swanwhite"}"#));
}

#[tokio::test]
async fn a_result_is_kept_where_it_can_be_and_no_other_is_asked_for() {
    let log = Arc::<Kept>::default();
    let (_, berths) = audited(&log);
    berths.clear(0).await.unwrap();
    assert_eq!((log.last().outcome, log.last().after), (AuditOutcome::Done, None));
    berths.count().await.unwrap();
    assert_eq!(log.last().after.as_deref(), Some("0"));
    berths.find(0).await.unwrap();
    assert_eq!((berths.room(), log.entries.lock().len()), (2, 2), "what is not marked is not written");
}

#[tokio::test]
async fn a_method_need_not_return_a_result() {
    let log = Arc::<Kept>::default();
    let app = app(Arc::clone(&log) as _, |app| {
        app.singleton(|| -> Arc<dyn Tallies> { Arc::new(Berths::default()) });
        app.decorate::<dyn Tallies>().audited();
    });
    let tallies: Arc<dyn Tallies> = app.make().unwrap();
    assert_eq!(tallies.tally(3).await, 6);
    assert_eq!((log.last().outcome, log.last().after.as_deref()), (AuditOutcome::Done, Some("6")));
    tallies.forget().await;
    assert_eq!((log.last().outcome, log.last().after), (AuditOutcome::Done, None));
}

#[tokio::test]
async fn nothing_is_written_where_the_chain_does_not_say_so() {
    let log = Arc::<Kept>::default();
    let app = app(Arc::clone(&log) as _, |app| {
        app.decorate::<dyn BerthService>().audited().when(false);
    });
    app.make::<dyn BerthService>().unwrap().count().await.unwrap();
    assert!(log.entries.lock().is_empty());
}

#[tokio::test]
async fn a_call_that_was_left_half_way_is_written_as_such() {
    let log = Arc::<Kept>::default();
    let (_, berths) = audited(&log);
    assert!(berths.wait().now_or_never().is_none());
    let written = async |count| {
        while log.entries.lock().len() < count {
            tokio::task::yield_now().await;
        }
    };
    written(1).await;
    assert_eq!((log.last().action, log.last().outcome), ("berth.awaited", AuditOutcome::Left));
    let sinking = Arc::clone(&berths);
    paravel::spawn(async move { sinking.sink().await }).await.unwrap_err();
    written(2).await;
    assert_eq!((log.last().action, log.last().outcome), ("berth.sunk", AuditOutcome::Left));
}

#[tokio::test]
async fn a_log_that_fails_undoes_nothing_and_is_an_error_in_the_other_log() {
    let lines = Lines::default();
    let guard = subscriber::set_default(tracing_subscriber::fmt().with_writer(lines.clone()).with_ansi(false).finish());
    let log = Arc::new(Kept { refuses: true, ..Kept::default() });
    let (_, berths) = audited(&log);
    berths.moor(0, "Swanwhite", "hunter22").await.unwrap();
    drop(guard);
    assert_eq!(berths.find(0).await.unwrap().ship.as_deref(), Some("Swanwhite"));
    let text = lines.text();
    assert!(text.contains("ERROR") && text.contains("action=\"berth.moored\""), "{text}");
    assert!(text.contains("the log is full") && !text.contains("hunter22"), "{text}");
}

#[tokio::test]
async fn a_refusal_is_seen_where_it_stands_further_in() {
    for (inside, written) in [(true, 1), (false, 0)] {
        let log = Arc::<Kept>::default();
        let app = app(Arc::clone(&log) as _, |app| {
            let limit = ConcurrencyLimit::of(1);
            match inside {
                true => app.decorate::<dyn BerthService>().audited().with(limit),
                false => app.decorate::<dyn BerthService>().with(limit).audited(),
            };
        });
        let berths: Arc<dyn BerthService> = app.make().unwrap();
        let mut waiting = berths.wait();
        assert!((&mut waiting).now_or_never().is_none());
        berths.moor(0, "Swanwhite", "").await.unwrap_err();
        assert_eq!(log.entries.lock().len(), written, "the limit is inside: {inside}");
        if inside {
            assert!(log.last().error.is_some_and(|error| error.starts_with("refused: ")));
        }
    }
}

#[test]
fn without_a_log_the_graph_has_a_fault_that_names_it() {
    let mut app = ContainerBuilder::new();
    app.singleton(|| -> Arc<dyn BerthService> { Arc::new(Berths::default()) });
    app.instance::<dyn WhoActs>(Arc::new(Gate));
    app.instance::<dyn Clock>(Arc::new(FakeClock::at(Timestamp::from_unix(0))));
    app.decorate::<dyn BerthService>().audited();
    let faults = app.verify().unwrap_err().to_string();
    assert!(faults.contains("missing: nothing is bound to `dyn AuditLog`"), "{faults}");
}

#[tokio::test]
async fn of_a_transaction_the_log_gets_what_is_committed() {
    let db = empty(&[]);
    let log = Arc::<Kept>::default();
    let (app, berths) = audited(&log);
    let inside = async |commits: bool| {
        let (berths, seen) = (Arc::clone(&berths), Arc::clone(&log));
        let before = log.entries.lock().len();
        app.run(db.write(async move |_: &mut SqliteConn| {
            berths.count().await.unwrap();
            assert_eq!(seen.entries.lock().len(), before, "it waits for the commit");
            if commits { Ok(()) } else { Err(DbError::Closed) }
        }))
        .await
        .is_ok()
    };
    assert!(inside(true).await);
    assert_eq!(log.entries.lock().len(), 1);
    assert!(!inside(false).await);
    assert_eq!(log.entries.lock().len(), 1);
    let _: &Db<SqliteConn> = &db;
    assert!(inside(true).await);
    let ids: Vec<_> = log.entries.lock().iter().map(|entry| entry.id).collect();
    assert!(ids.len() == 2 && ids[0] != ids[1], "{ids:?}");
}
