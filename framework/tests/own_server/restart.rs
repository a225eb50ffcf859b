//! A server that goes away and comes back while it is being used.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use paravel::{
    database::{Connection, DatabaseAdmin, Db, DbError, Statement},
    http::{Problem, StatusCode},
};
use tokio::task::JoinSet;

use super::{DEADLINE, OwnServer, on_own_servers};

const CLIENTS: usize = 16;

/// What became of the rows that clients wrote.
#[derive(Default)]
struct Outcomes {
    next: AtomicI64,
    over: AtomicBool,
    kept: Mutex<BTreeSet<i64>>,
    refused: Mutex<BTreeSet<i64>>,
    uncertain: Mutex<BTreeSet<i64>>,
    reads: AtomicI64,
    reads_refused: AtomicI64,
}

async fn client<C: Connection>(db: Arc<Db<C>>, outcomes: Arc<Outcomes>) {
    while !outcomes.over.load(Ordering::Relaxed) {
        let row = outcomes.next.fetch_add(1, Ordering::Relaxed);
        let insert = Statement::new("insert into arrivals (id) values (?)").bind(row);
        let written = db.write(async move |c| Ok::<_, DbError>(c.run(&insert).await?)).await;
        let read = db.fetch(Statement::new("select count(*) as n from arrivals")).await;
        match written {
            Ok(_) => drop(outcomes.kept.lock().unwrap().insert(row)),
            Err(DbError::Uncertain { .. }) => drop(outcomes.uncertain.lock().unwrap().insert(row)),
            Err(error) => {
                assert!(error.is_transient(), "{error:?}");
                assert_eq!(Problem::from(error).status(), StatusCode::SERVICE_UNAVAILABLE);
                outcomes.refused.lock().unwrap().insert(row);
            }
        }
        match read {
            Ok(_) => drop(outcomes.reads.fetch_add(1, Ordering::Relaxed)),
            Err(error) => {
                assert!(error.is_transient(), "{error:?}");
                outcomes.reads_refused.fetch_add(1, Ordering::Relaxed);
                // As clients do that are told to come again.
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
}

/// Waits until so many more writes and reads were answered.
async fn goes_on(outcomes: &Outcomes) {
    let count = || (outcomes.kept.lock().unwrap().len(), outcomes.reads.load(Ordering::Relaxed));
    let (writes, reads) = count();
    let more = async {
        while count().0 < writes + 100 || count().1 < reads + 100 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(DEADLINE, more).await.expect("it does not recover");
}

async fn a_restart_under_load_loses_nothing_that_was_answered<C: Connection>() {
    let Some(mut server) = OwnServer::new::<C>() else { return };
    server.start::<C>(&[]).await;
    let db = Arc::new(server.db::<C>("127.0.0.1", ""));
    db.apply(None, "create table arrivals (id bigint not null primary key)".to_owned()).await.unwrap();
    let outcomes = Arc::new(Outcomes::default());
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(client(Arc::clone(&db), Arc::clone(&outcomes)));
    }
    // In order, and as by a power cut.
    for signal in [if C::BACKEND == "postgres" { "INT" } else { "TERM" }, "KILL"] {
        goes_on(&outcomes).await;
        server.stop(signal);
        server.start::<C>(&[]).await;
    }
    goes_on(&outcomes).await;
    outcomes.over.store(true, Ordering::Relaxed);
    tokio::time::timeout(DEADLINE, clients.join_all()).await.unwrap();

    let rows = db.fetch(Statement::new("select id from arrivals")).await.unwrap();
    let there: BTreeSet<_> = rows.iter().map(|row| row.integer("id")).collect();
    let (kept, refused, uncertain) =
        (outcomes.kept.lock().unwrap(), outcomes.refused.lock().unwrap(), outcomes.uncertain.lock().unwrap());
    assert!(kept.is_subset(&there), "answered and lost: {:?}", kept.difference(&there));
    assert!(refused.is_disjoint(&there), "refused and kept: {:?}", refused.intersection(&there));
    assert_eq!(kept.len() + refused.len() + uncertain.len(), outcomes.next.load(Ordering::Relaxed) as usize);
    assert!(!refused.is_empty(), "no write met a restart");
    println!(
        "{}: {} writes kept, {} refused, {} uncertain, {} reads, {} refused",
        C::BACKEND,
        kept.len(),
        refused.len(),
        uncertain.len(),
        outcomes.reads.load(Ordering::Relaxed),
        outcomes.reads_refused.load(Ordering::Relaxed),
    );
}

on_own_servers! {
    a_restart_under_load_loses_nothing_that_was_answered,
}
