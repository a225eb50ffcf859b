//! What is dispatched inside a transaction.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering::SeqCst},
};

use paravel::{
    container::ContainerBuilder,
    database::{Connection, DbError, SqliteConn, Statement},
    queue::{Driver, QueueAdmin},
    support::BoxError,
};

use super::Own;
use crate::{
    conformance::empty,
    queue::{message, undone, worker::Count},
};

async fn ready<C: Connection>(own: &Own<C>) -> u64 {
    own.driver.depths().await.unwrap().iter().map(|(_, depth)| depth.ready).sum()
}

async fn inside<F: Future>(work: F) -> F::Output {
    ContainerBuilder::new().freeze().unwrap().scope().run(work).await
}

pub async fn what_is_dispatched_in_a_transaction_is_a_part_of_it<C: Connection>(own: Own<C>) {
    for commits in [false, true] {
        let (queue, seen) = (own.queue(), Arc::new(AtomicI64::new(-1)));
        let sees = Arc::clone(&seen);
        let done = inside(own.db.write(async move |c| {
            queue.dispatch(Count::of("x")).await.unwrap();
            queue.dispatch_many([Count::of("y"), Count::of("z")]).await.unwrap();
            let rows = c.fetch(&Statement::new("select count(*) as n from queue_jobs")).await?;
            sees.store(rows[0].integer("n"), SeqCst);
            if commits { Ok(()) } else { Err(undone()) }
        }));
        assert_eq!(done.await.is_ok(), commits);
        assert_eq!((seen.load(SeqCst), ready(&own).await), (0, if commits { 3 } else { 0 }));
    }
    // What cannot be written takes the transaction with it: neither is without the other.
    super::run(&own.db, "drop table queue_jobs").await;
    let queue = own.queue();
    let done = inside(own.db.write(async move |c| {
        c.run(&Statement::new("insert into queue_states (name, value) values ('x', 1)")).await?;
        queue.dispatch(Count::of("x")).await.unwrap();
        Ok::<_, DbError>(())
    }));
    assert!(done.await.is_err());
    assert_eq!(super::number(&own.db, "select count(*) as n from queue_states").await, 0);
}

pub async fn a_savepoint_that_is_rolled_back_takes_its_jobs_along<C: Connection>(own: Own<C>) {
    let queue = own.queue();
    let done = inside(own.db.write(async move |c| {
        let lost = queue.clone();
        let undone = c
            .transaction(async move |_| {
                lost.dispatch(Count::of("lost")).await.unwrap();
                Err::<(), _>(undone())
            })
            .await;
        assert!(undone.is_err());
        c.transaction(async move |_| {
            queue.dispatch(Count::of("kept")).await.unwrap();
            Ok::<_, DbError>(())
        })
        .await
    }));
    done.await.unwrap();
    assert_eq!(ready(&own).await, 1);
}

pub async fn a_key_is_not_taken_by_a_transaction_that_is_rolled_back<C: Connection>(own: Own<C>) {
    let queue = own.queue();
    let undone = inside(own.db.write(async move |_| {
        queue.dispatch(Count::of("unique a")).await.unwrap();
        Err::<(), _>(undone())
    }));
    assert!(undone.await.is_err());
    assert!(own.queue().dispatch(Count::of("unique a")).await.unwrap().is_some());
    assert!(own.queue().dispatch(Count::of("unique a")).await.unwrap().is_none());
    assert_eq!(own.driver.clear("count").await.unwrap(), 1);
    assert!(own.queue().dispatch(Count::of("unique a")).await.unwrap().is_some());
}

pub async fn what_is_dispatched_in_another_databases_transaction_waits_for_it<C: Connection>(own: Own<C>) {
    let other = empty::<SqliteConn>(&[]).await.unwrap();
    for commits in [false, true] {
        let queue = own.queue();
        let done = inside(other.write(async move |_| {
            queue.dispatch(Count::of("x")).await.unwrap();
            if commits { Ok(()) } else { Err(undone()) }
        }));
        assert_eq!(done.await.is_ok(), commits);
        assert_eq!(ready(&own).await, u64::from(commits));
    }
}

pub async fn a_push_of_its_own_inside_a_closure_is_refused<C: Connection>(own: Own<C>) {
    let driver = Arc::clone(&own.driver);
    let pushed = own.db.write(async move |_| {
        let pushed = driver.push(vec![message("a")].into()).await;
        Ok::<_, BoxError>(pushed.unwrap_err().to_string())
    });
    assert!(pushed.await.unwrap().contains("use the closure's connection"));
}
