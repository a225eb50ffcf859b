//! What `#[cached]` keeps, and what `#[invalidates]` ends.

use std::{
    collections::BTreeMap,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    time::Duration,
};

use futures_util::FutureExt;
use paravel::{
    cache::Cache,
    container::{Container, ContainerBuilder},
    database::{Connection, Db, DbError, SqliteConn},
    service,
    service::Metrics,
};
use parking_lot::Mutex;

use crate::{
    cache::stores::shelf::Shelf,
    conformance,
    database::{insert, names as ships, with_ships},
};

#[derive(Debug, Clone, PartialEq, thiserror::Error)]
enum LogError {
    #[error("the page is torn")]
    Torn,
}

#[service]
trait Logbook {
    #[cached(key = "log:{ship}:{page}", ttl = "30m", tags("log", "log:{ship}"))]
    async fn read(&self, ship: &str, page: u32) -> Result<Option<String>, LogError>;
    #[cached(key = "pages:{entry}", ttl = "90s", keep_none)]
    async fn pages(&self, entry: u32) -> Result<Option<u32>, LogError>;
    #[cached(key = "note:{ship}:{page}", ttl = "30m", tags("log"), tags("note:{ship}:{page}"))]
    async fn note(&self, ship: &str, page: &str) -> Result<String, LogError>;
    #[invalidates(tags("note:{ship}:{page}"))]
    async fn annotate(&self, ship: &str, page: &str) -> Result<(), LogError>;
    /// Of the latest entry nothing is kept: it is being written.
    #[cached(key = "entry:{ship}:{page}", ttl = "30m", when = page < 100 && !ship.is_empty())]
    async fn entry(&self, ship: &str, page: u32) -> Result<u32, LogError>;
    #[invalidates(tags("log:{ship}"))]
    async fn write(&self, ship: &str, page: u32, text: &str) -> Result<(), LogError>;
    /// Named as the expansion might name its own.
    #[invalidates(tags("log:{result}"))]
    async fn burn(&self, result: &str, invalidation: bool) -> Result<(), LogError>;
    async fn ships(&self) -> Result<usize, LogError>;
    fn is_open(&self) -> bool;
}

/// Pages by ship and number. Counts what it is asked.
#[derive(Default)]
struct Desk {
    pages: Mutex<BTreeMap<(String, u32), String>>,
    reads: AtomicUsize,
    gate: tokio::sync::Notify,
}

impl Desk {
    fn reads(&self) -> usize {
        self.reads.load(Ordering::SeqCst)
    }
}

#[service]
impl Logbook for Desk {
    async fn read(&self, ship: &str, page: u32) -> Result<Option<String>, LogError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        if page == 0 {
            return Err(LogError::Torn);
        }
        Ok(self.pages.lock().get(&(ship.to_owned(), page)).cloned())
    }

    async fn pages(&self, entry: u32) -> Result<Option<u32>, LogError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        if entry == 0 { Err(LogError::Torn) } else { Ok(None) }
    }

    async fn note(&self, ship: &str, page: &str) -> Result<String, LogError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        Ok(format!("{ship} {page}"))
    }

    async fn annotate(&self, _: &str, _: &str) -> Result<(), LogError> {
        Ok(())
    }

    async fn entry(&self, _: &str, page: u32) -> Result<u32, LogError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        Ok(page)
    }

    async fn write(&self, ship: &str, page: u32, text: &str) -> Result<(), LogError> {
        self.pages.lock().insert((ship.to_owned(), page), text.to_owned());
        match text {
            "torn" => Err(LogError::Torn),
            "left" => {
                self.gate.notified().await;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    async fn burn(&self, result: &str, invalidation: bool) -> Result<(), LogError> {
        self.pages.lock().retain(|(ship, _), _| !invalidation || ship != result);
        Ok(())
    }

    async fn ships(&self) -> Result<usize, LogError> {
        Ok(self.pages.lock().len())
    }

    fn is_open(&self) -> bool {
        true
    }
}

fn app(desk: &Arc<Desk>, decorate: impl FnOnce(&mut ContainerBuilder)) -> Container {
    let mut app = ContainerBuilder::new();
    app.instance(Arc::new(Cache::memory("log", 1 << 20)));
    app.instance::<dyn Logbook>(Arc::clone(desk) as _);
    decorate(&mut app);
    app.freeze().unwrap()
}

fn cached() -> (Arc<Desk>, Arc<dyn Logbook>) {
    let desk: Arc<Desk> = Arc::default();
    let app = app(&desk, |app| {
        app.decorate::<dyn Logbook>().cached();
    });
    (desk, app.make::<dyn Logbook>().unwrap())
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[tokio::test]
async fn a_value_is_kept_only_where_its_condition_holds() {
    let (desk, log) = cached();
    for (ship, page, reads) in [("dawn", 7, 1), ("dawn", 100, 4), ("", 7, 7)] {
        for _ in 0..3 {
            assert_eq!(log.entry(ship, page).await.unwrap(), page);
        }
        assert_eq!(desk.reads(), reads, "{ship} {page}");
    }
}

#[tokio::test]
async fn a_value_is_kept_by_its_arguments_until_its_tag_is_invalidated() {
    let (desk, log) = cached();
    log.write("dawn", 1, "sailed").await.unwrap();
    log.write("argo", 1, "rowed").await.unwrap();
    for _ in 0..3 {
        assert_eq!(log.read("dawn", 1).await.unwrap(), text("sailed"));
        assert_eq!(log.read("argo", 1).await.unwrap(), text("rowed"));
    }
    assert_eq!(desk.reads(), 2);
    log.write("dawn", 1, "moored").await.unwrap();
    assert_eq!(log.read("dawn", 1).await.unwrap(), text("moored"));
    assert_eq!(log.read("argo", 1).await.unwrap(), text("rowed"));
    assert_eq!(desk.reads(), 3);
    log.burn("dawn", true).await.unwrap();
    assert_eq!(log.read("dawn", 1).await.unwrap(), None);
    assert_eq!((log.ships().await.unwrap(), log.is_open()), (1, true));
}

#[tokio::test(start_paused = true)]
async fn a_value_is_kept_for_its_time() {
    let (desk, log) = cached();
    assert_eq!(log.pages(1).await, Ok(None));
    tokio::time::advance(Duration::from_secs(89)).await;
    assert_eq!(log.pages(1).await, Ok(None));
    assert_eq!(desk.reads(), 1, "`keep_none` keeps none");
    tokio::time::advance(Duration::from_secs(2)).await;
    assert_eq!(log.pages(1).await, Ok(None));
    assert_eq!(desk.reads(), 2);
}

#[tokio::test]
async fn none_and_errors_are_not_kept() {
    let (desk, log) = cached();
    for reads in 1..4 {
        assert_eq!(log.read("dawn", 7).await.unwrap(), None);
        assert_eq!(desk.reads(), reads);
    }
    for reads in 4..7 {
        assert_eq!(log.read("dawn", 0).await, Err(LogError::Torn));
        assert_eq!(desk.reads(), reads);
    }
}

#[tokio::test]
async fn callers_at_once_share_one_load_and_its_error() {
    let (desk, log) = cached();
    log.write("dawn", 1, "sailed").await.unwrap();
    let reads = futures_util::future::join_all((0..20).map(|_| log.read("dawn", 1))).await;
    assert!(reads.into_iter().all(|read| read.unwrap() == text("sailed")));
    assert_eq!(desk.reads(), 1);
    let reads = futures_util::future::join_all((0..20).map(|_| log.read("dawn", 0))).await;
    assert!(reads.into_iter().all(|read| read == Err(LogError::Torn)));
    assert_eq!(desk.reads(), 2);
}

#[tokio::test]
async fn arguments_are_told_apart_whatever_is_in_them() {
    let (desk, log) = cached();
    let calls = [("1:2", "3"), ("1", "2:3"), ("1%3A2", "3"), ("%", "%25"), ("%25", "%"), ("", ":"), (":", "")];
    for _ in 0..2 {
        for (ship, page) in calls {
            assert_eq!(log.note(ship, page).await.unwrap(), format!("{ship} {page}"));
        }
    }
    assert_eq!(desk.reads(), calls.len());
    log.annotate("1:2", "3").await.unwrap();
    for (ship, page) in calls {
        log.note(ship, page).await.unwrap();
    }
    assert_eq!(desk.reads(), calls.len() + 1, "the tag of one of them is no other's");
    // Both lists of tags count, and what has no colon is as it is.
    let slot = <dyn Logbook>::cached_note("1:2", "3%");
    assert_eq!((slot.key.as_str(), slot.tags), ("note:1%3A2:3%25", vec!["log".into(), "note:1%3A2:3%25".into()]));
}

#[tokio::test(start_paused = true)]
async fn an_invalidation_whose_caller_goes_away_while_the_store_hangs_is_made_all_the_same() {
    let (desk, shelf): (Arc<Desk>, Arc<Shelf>) = Default::default();
    let mut app = ContainerBuilder::new();
    app.instance(Arc::new(shelf.cache()));
    app.instance::<dyn Logbook>(Arc::clone(&desk) as _);
    app.decorate::<dyn Logbook>().cached();
    let log = app.freeze().unwrap().make::<dyn Logbook>().unwrap();
    log.write("dawn", 1, "sailed").await.unwrap();
    assert_eq!(log.read("dawn", 1).await.unwrap(), text("sailed"));
    shelf.hold();
    let left = tokio::time::timeout(Duration::from_secs(1), log.write("dawn", 1, "moored"));
    assert!(left.await.is_err());
    assert!(shelf.held() > 0, "it was under way");
    shelf.release();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(log.read("dawn", 1).await.unwrap(), text("moored"));
}

#[tokio::test]
async fn a_change_that_failed_or_was_left_half_way_invalidates_all_the_same() {
    let (_, log) = cached();
    log.write("dawn", 1, "sailed").await.unwrap();
    assert_eq!(log.read("dawn", 1).await.unwrap(), text("sailed"));
    assert_eq!(log.write("dawn", 1, "torn").await, Err(LogError::Torn));
    assert_eq!(log.read("dawn", 1).await.unwrap(), text("torn"));
    {
        let mut write = log.write("dawn", 1, "left");
        assert!((&mut write).now_or_never().is_none());
        assert_eq!(log.read("dawn", 1).await.unwrap(), text("torn"));
    }
    assert_eq!(log.read("dawn", 1).await.unwrap(), text("left"));
}

#[tokio::test]
async fn what_stands_outside_the_cache_sees_every_call_and_what_stands_inside_the_misses() {
    let desk: Arc<Desk> = Arc::default();
    let (outside, inside) = (Metrics::default(), Metrics::default());
    let app = app(&desk, |app| {
        app.decorate::<dyn Logbook>().with(outside.clone()).cached().with(inside.clone());
    });
    let log = app.make::<dyn Logbook>().unwrap();
    for _ in 0..5 {
        log.pages(1).await.unwrap();
    }
    assert_eq!((outside.read()[0].calls, inside.read()[0].calls), (5, 1));
}

#[tokio::test]
async fn a_cache_that_is_not_applied_keeps_nothing() {
    let desk: Arc<Desk> = Arc::default();
    let app = app(&desk, |app| {
        app.decorate::<dyn Logbook>().cached().when(false);
    });
    let log = app.make::<dyn Logbook>().unwrap();
    assert_eq!(Arc::as_ptr(&log).cast::<()>(), Arc::as_ptr(&desk).cast::<()>());
}

/// What is invalidated in a transaction waits for its commit, and nothing read in one is kept.
async fn in_transactions<C: Connection>() {
    let Some(db) = conformance::empty::<C>(&[]).await else {
        println!("left out: no server for {}", C::BACKEND);
        return;
    };
    let desk: Arc<Desk> = Arc::default();
    let app = app(&desk, |app| {
        app.decorate::<dyn Logbook>().cached();
    });
    let log = app.make::<dyn Logbook>().unwrap();
    let transaction = async |db: &Db<C>, fails: bool, page: &'static str| {
        let log = Arc::clone(&log);
        db.write(async move |_| {
            log.write("dawn", 1, page).await.unwrap();
            // Neither what was kept before, nor kept after.
            assert_eq!(log.read("dawn", 1).await.unwrap(), text(page));
            if fails { Err(DbError::Closed) } else { Ok(()) }
        })
        .await
    };
    app.run(async {
        log.write("dawn", 1, "sailed").await.unwrap();
        assert_eq!(log.read("dawn", 1).await.unwrap(), text("sailed"));
        // The desk has no transactions, so what is kept, and what is not, tells what the cache did.
        assert!(transaction(&db, true, "lost").await.is_err());
        assert_eq!(log.read("dawn", 1).await.unwrap(), text("sailed"), "rolled back: what was kept is still true");
        transaction(&db, false, "moored").await.unwrap();
        let reads = desk.reads();
        assert_eq!(log.read("dawn", 1).await.unwrap(), text("moored"));
        assert_eq!(desk.reads(), reads + 1, "committed, and nothing of the transaction's was kept");
    })
    .await;
}

/// Whoever changes names in a database, and may go away half-way.
#[service]
trait Crew {
    #[cached(key = "crew", ttl = "30m", tags("crew"))]
    async fn names(&self) -> Result<Vec<String>, DbError>;
    #[invalidates(tags("crew"))]
    async fn hire(&self, name: String) -> Result<(), DbError>;
}

struct Hands {
    db: Arc<Db<SqliteConn>>,
    // The change waits for it, before it is committed.
    gate: Mutex<Option<mpsc::Receiver<()>>>,
}

#[service]
impl Crew for Hands {
    async fn names(&self) -> Result<Vec<String>, DbError> {
        Ok(ships(&self.db).await)
    }

    async fn hire(&self, name: String) -> Result<(), DbError> {
        let gate = self.gate.lock().take();
        self.db
            .write(async move |c| {
                insert(c, &name).await?;
                gate.map(|gate| gate.recv());
                Ok(())
            })
            .await
    }
}

#[tokio::test]
async fn a_change_is_invalidated_when_it_is_committed_though_its_caller_has_gone() {
    let database = with_ships(&[]).await;
    let (commit, gate) = mpsc::channel();
    let hands = Hands { db: Arc::clone(&database.db), gate: Mutex::new(Some(gate)) };
    let mut app = ContainerBuilder::new();
    app.instance(Arc::new(Cache::memory("crew", 1 << 20)));
    app.instance::<dyn Crew>(Arc::new(hands));
    app.decorate::<dyn Crew>().cached();
    let app = app.freeze().unwrap();
    let crew = app.make::<dyn Crew>().unwrap();
    app.run(async {
        {
            let hire = crew.hire("ada".to_owned());
            tokio::pin!(hire);
            assert!(
                std::future::poll_fn(|context| std::task::Poll::Ready(hire.as_mut().poll(context).is_pending())).await
            );
        }
        // After whoever changed it went away, and before the change is committed.
        assert_eq!(crew.names().await.unwrap(), [""; 0]);
        commit.send(()).unwrap();
        let seen = async {
            while crew.names().await.unwrap() != ["ada"] {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), seen).await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_transaction_on_sqlite() {
    in_transactions::<paravel::database::SqliteConn>().await;
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn a_transaction_on_postgres() {
    in_transactions::<paravel::database::PgConn>().await;
}

#[cfg(feature = "mysql")]
#[tokio::test]
async fn a_transaction_on_mysql() {
    in_transactions::<paravel::database::MysqlConn>().await;
}
