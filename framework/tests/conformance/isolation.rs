//! Isolation levels: what each lets a transaction see, and that it is this transaction's alone.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use paravel::database::{Connection, DatabaseAdmin, DbError, Isolation, Statement};
use tokio::sync::Barrier;

use super::{Own, add, with_ships};

const DOCTORS: &str = "create table doctors (name varchar(20) not null primary key, on_call int not null);
    insert into doctors (name, on_call) values ('a', 1), ('b', 1)";

/// Two doctors who each go off call if the other stays: with how many runs, and how many are left on call.
async fn both_leave<C: Connection>(db: &Own<C>, isolation: Option<Isolation>) -> (usize, i64) {
    db.apply(None, "update doctors set on_call = 1".to_owned()).await.unwrap();
    let runs = Arc::new(AtomicUsize::new(0));
    let both = Arc::new(Barrier::new(2));
    let turn = |name: &'static str| {
        let (runs, both) = (Arc::clone(&runs), Arc::clone(&both));
        let leave = async move |c: &mut C| {
            let count = Statement::new("select count(*) as n from doctors where on_call = 1");
            let others = c.fetch(&count).await?[0].integer("n");
            // Where one transaction runs at a time, nobody waits for another inside.
            if runs.fetch_add(1, Ordering::Relaxed) < 2 && C::BACKEND != "sqlite" {
                both.wait().await;
            }
            if others > 1 {
                c.run(&Statement::new("update doctors set on_call = 0 where name = ?").bind(name)).await?;
            }
            Ok::<_, DbError>(())
        };
        async move {
            match isolation {
                Some(isolation) => db.transaction_at(isolation, leave).await,
                None => db.transaction(leave).await,
            }
        }
    };
    let (one, other) = tokio::join!(turn("a"), turn("b"));
    one.unwrap();
    other.unwrap();
    let left = db.fetch(Statement::new("select count(*) as n from doctors where on_call = 1")).await.unwrap();
    (runs.load(Ordering::Relaxed), left[0].integer("n"))
}

/// A write skew: each is right alone, and both together are wrong.
pub async fn two_that_could_not_have_run_one_after_the_other_do<C: Connection>() {
    let Some(db) = with_ships::<C>(&[]).await else { return };
    db.apply(None, DOCTORS.to_owned()).await.unwrap();
    let (runs, left) = both_leave(&db, Some(Isolation::Serializable)).await;
    assert_eq!(left, 1);
    // The one that is run again meets the other once more where that has not come to the end of its commit.
    assert!(if C::BACKEND == "sqlite" { runs == 2 } else { runs > 2 }, "{runs}");
}

pub async fn what_may_only_be_read_is_told_apart<C: Connection>() {
    // One session for both.
    let Some(db) = with_ships::<C>(&[("DB_WRITERS", "1")]).await else { return };
    let read_only = match C::BACKEND {
        "sqlite" => "pragma query_only = 1",
        "postgres" => "set session characteristics as transaction read only",
        _ => "set session transaction read only",
    };
    db.write(async move |c| Ok::<_, DbError>(c.batch_execute(read_only).await?)).await.unwrap();
    let error = add(&db, "Pinafore").await.unwrap_err();
    assert!(error.is_read_only() && !error.is_full() && !error.is_conflict(), "{error:?}");
}

pub async fn a_level_is_that_of_one_transaction<C: Connection>() {
    // The same sessions for all.
    let Some(db) = with_ships::<C>(&[("DB_WRITERS", "2")]).await else { return };
    db.apply(None, DOCTORS.to_owned()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(both_leave(&db, Some(Isolation::Serializable)).await.1, 1);
        // SQLite's are serializable, whatever they ask for.
        let expected = if C::BACKEND == "sqlite" { (2, 1) } else { (2, 0) };
        assert_eq!(both_leave(&db, None).await, expected, "the server's own level lets it pass");
    }
}

pub async fn a_level_says_what_is_seen<C: Connection>() {
    let Some(db) = with_ships::<C>(&[]).await else { return };
    if C::BACKEND == "sqlite" {
        println!("left out: no transaction of SQLite's sees another that writes");
        return;
    }
    for (isolation, expected) in [(Isolation::ReadCommitted, (0, 1)), (Isolation::RepeatableRead, (1, 1))] {
        let both = Arc::new(Barrier::new(2));
        let turns = Arc::clone(&both);
        let looking = db.transaction_at(isolation, async move |c| {
            let count = Statement::new("select count(*) as n from ships");
            let before = c.fetch(&count).await?[0].integer("n");
            turns.wait().await;
            turns.wait().await;
            Ok::<_, DbError>((before, c.fetch(&count).await?[0].integer("n")))
        });
        let writing = async {
            both.wait().await;
            add(&db, &format!("{isolation:?}")).await.unwrap();
            both.wait().await;
        };
        let (seen, ()) = tokio::join!(looking, writing);
        assert_eq!(seen.unwrap(), expected, "{isolation:?}");
    }
}
