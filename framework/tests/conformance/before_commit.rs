//! What a transaction does at its end.

use std::sync::{Arc, Mutex};

use paravel::{
    container::ContainerBuilder,
    database::{Connection, Db, DbError, after_commit},
};

use super::{insert, names, with_ships};

type Seen = Arc<Mutex<Vec<&'static str>>>;

async fn inside<F: Future>(work: F) -> F::Output {
    ContainerBuilder::new().freeze().unwrap().scope().run(work).await
}

/// Has the transaction that is open here insert a ship at its end; whether it will.
fn inserts<C: Connection>(db: &Db<C>, name: &'static str) -> bool {
    db.before_commit(async move |c| insert(c, name).await).is_none()
}

pub async fn hooks_run_at_the_end_of_the_transaction_and_inside_it<C: Connection>() {
    let Some(db) = with_ships::<C>(&[]).await else { return };
    let seen = Seen::default();
    let (inner, sees) = (Arc::clone(&db.db), Arc::clone(&seen));
    let done = inside(db.write(async move |c| {
        let (again, note) = (Arc::clone(&inner), Arc::clone(&sees));
        let hook = inner.before_commit(async move |c: &mut C| {
            note.lock().unwrap().push("hook");
            insert(c, "b").await?;
            assert!(inserts(&again, "c"), "one may ask for another");
            Ok(())
        });
        assert!(hook.is_none());
        insert(c, "a").await?;
        sees.lock().unwrap().push("closure");
        Ok::<_, DbError>(())
    }));
    done.await.unwrap();
    assert_eq!(names(&db).await, ["a", "b", "c"]);
    assert_eq!(*seen.lock().unwrap(), ["closure", "hook"]);
}

pub async fn a_hook_that_fails_rolls_back_and_one_that_is_rolled_back_does_not_run<C: Connection>() {
    let Some(db) = with_ships::<C>(&[]).await else { return };
    let inner = Arc::clone(&db.db);
    let failed = inside(db.write(async move |c| {
        insert(c, "a").await?;
        // There is one by then.
        assert!(inserts(&inner, "a"));
        Ok::<_, DbError>(())
    }));
    assert!(failed.await.unwrap_err().is_unique_violation());
    let inner = Arc::clone(&db.db);
    let panicked = inside(db.write(async move |c| {
        insert(c, "a").await?;
        inner.before_commit(async |_: &mut C| panic!("overboard"));
        Ok::<_, DbError>(())
    }));
    assert!(matches!(panicked.await, Err(DbError::Panicked { .. })));
    let inner = Arc::clone(&db.db);
    let undone = inside(db.write(async move |_| {
        assert!(inserts(&inner, "a"));
        Err::<(), _>(DbError::Closed)
    }));
    assert!(matches!(undone.await, Err(DbError::Closed)));
    assert!(names(&db).await.is_empty());
}

/// The same, and notes something after the commit.
async fn raises<C: Connection>(db: &Db<C>, seen: &Seen, name: &'static str) {
    assert!(inserts(db, name));
    let seen = Arc::clone(seen);
    assert!(after_commit(async move { seen.lock().unwrap().push(name) }).await.unwrap());
}

pub async fn a_savepoint_that_is_rolled_back_drops_its_hooks<C: Connection>() {
    let Some(db) = with_ships::<C>(&[]).await else { return };
    let seen = Seen::default();
    let (inner, told) = (Arc::clone(&db.db), Arc::clone(&seen));
    let done = inside(db.write(async move |c| {
        raises(&inner, &told, "before").await;
        let (lost, tells) = (Arc::clone(&inner), Arc::clone(&told));
        let undone = c
            .transaction(async move |_| {
                raises(&lost, &tells, "lost").await;
                Err::<(), _>(DbError::Closed)
            })
            .await;
        assert!(undone.is_err());
        let (kept, tells) = (Arc::clone(&inner), Arc::clone(&told));
        c.transaction(async move |_| {
            raises(&kept, &tells, "kept").await;
            Ok::<_, DbError>(())
        })
        .await?;
        raises(&inner, &told, "later").await;
        Ok::<_, DbError>(())
    }));
    done.await.unwrap();
    assert_eq!(names(&db).await, ["before", "kept", "later"]);
    assert_eq!(*seen.lock().unwrap(), ["before", "kept", "later"]);
}

pub async fn a_hook_that_rolls_back_a_savepoint_of_its_own_takes_none_with_it<C: Connection>() {
    let Some(db) = with_ships::<C>(&[]).await else { return };
    let seen = Seen::default();
    let (inner, told) = (Arc::clone(&db.db), Arc::clone(&seen));
    let done = inside(db.write(async move |_| {
        let (within, tells) = (Arc::clone(&inner), Arc::clone(&told));
        let first = inner.before_commit(async move |c: &mut C| {
            let undone = c.transaction(async move |_| {
                raises(&within, &tells, "lost").await;
                Err::<(), _>(DbError::Closed)
            });
            assert!(undone.await.is_err());
            Ok(())
        });
        assert!(first.is_none());
        raises(&inner, &told, "second").await;
        raises(&inner, &told, "third").await;
        Ok::<_, DbError>(())
    }));
    done.await.unwrap();
    assert_eq!(names(&db).await, ["second", "third"]);
    assert_eq!(*seen.lock().unwrap(), ["second", "third"]);
}

pub async fn a_hook_comes_back_where_no_transaction_of_its_database_is_open<C: Connection>() {
    let (Some(db), Some(other)) = (with_ships::<C>(&[]).await, with_ships::<C>(&[]).await) else { return };
    let inner = Arc::clone(&other.db);
    inside(async {
        assert!(!inserts(&db.db, "none"));
        let read = Arc::clone(&db.db);
        db.read(async move |_| {
            assert!(!inserts(&read, "none"));
            Ok::<_, DbError>(())
        })
        .await
        .unwrap();
        db.write(async move |_| {
            assert!(!inserts(&inner, "none"));
            Ok::<_, DbError>(())
        })
        .await
        .unwrap();
    })
    .await;
    assert!(names(&db).await.is_empty() && names(&other).await.is_empty());
}
