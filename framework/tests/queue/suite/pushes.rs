//! What is pushed: when it is there, and whether it is.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use paravel::{
    container::ContainerBuilder,
    database::SqliteConn,
    queue::{Message, NewBatch, Outcome, Push, Pushed, Settled, Unique, UniqueUntil},
    support::Clock,
};

use super::{LIVES, batches::batch, beat, claim, depth, depths, outcomes, push, settle, tend, worker};
use crate::{
    conformance::empty,
    queue::{Stand, message, undone, worker::Count},
};

pub async fn what_is_due_later_waits_for_its_moment(stand: Stand) {
    let me = worker(&stand).await;
    let due = Some(stand.clock.now().plus(Duration::from_secs(60)));
    // All at one moment: none of them takes another's place.
    let later: Vec<_> = (0..300).map(|_| Message { due, ..message("a") }).collect();
    push(&stand, later.clone()).await;
    push(&stand, vec![Message { due: Some(stand.clock.now()), ..message("a") }]).await;
    assert_eq!(depth(&stand, "a").await, (1, 300, 0));
    assert_eq!(claim(&*stand.driver, me, &["a"], 999).await.len(), 1);
    let tended = stand.driver.tend(&["a".to_owned()]).await.unwrap();
    assert_eq!((tended.due, tended.next), (0, Some(Duration::from_secs(60))));
    stand.advance(Duration::from_secs(60)).await;
    beat(&stand, me, LIVES).await;
    assert_eq!(stand.driver.tend(&["a".to_owned()]).await.unwrap().due, 300);
    let mut claimed = Vec::new();
    while claimed.len() < 300 {
        let more = claim(&*stand.driver, me, &["a"], 999).await;
        assert!(!more.is_empty(), "after {}", claimed.len());
        claimed.extend(more.into_iter().map(|claimed| claimed.message));
    }
    assert_eq!(claimed, later, "the first that came goes first");
}

pub async fn a_unique_key_keeps_others_out(stand: Stand) {
    let me = worker(&stand).await;
    let unique = |key: &str, until| {
        let unique = Unique { key: key.to_owned(), lasts: Duration::from_secs(100), until };
        Message { unique: Some(unique), ..message("a") }
    };
    let push = async |key: &str, until| stand.driver.push(vec![unique(key, until)].into()).await.unwrap()[0];
    // Also in one push.
    let two = vec![unique("k", UniqueUntil::Done), unique("k", UniqueUntil::Done), unique("l", UniqueUntil::Done)];
    assert_eq!(stand.driver.push(two.into()).await.unwrap(), [Pushed::Stored, Pushed::Duplicate, Pushed::Stored]);
    assert_eq!(stand.driver.admin().clear("a").await.unwrap(), 2);
    assert_eq!(push("k", UniqueUntil::Done).await, Pushed::Stored, "what was cleared has no key any more");
    for end in outcomes(&stand) {
        let claimed = claim(&*stand.driver, me, &["a"], 1).await.remove(0);
        assert_eq!(push("k", UniqueUntil::Done).await, Pushed::Duplicate, "it runs");
        settle(&stand, &claimed, end.clone()).await;
        let is_over = matches!(end, Outcome::Done { .. } | Outcome::Fail { .. });
        let expected = if is_over { Pushed::Stored } else { Pushed::Duplicate };
        assert_eq!(push("k", UniqueUntil::Done).await, expected, "{end:?}");
    }
    assert_eq!(push("s", UniqueUntil::Start).await, Pushed::Stored);
    assert_eq!(push("s", UniqueUntil::Start).await, Pushed::Duplicate);
    claim(&*stand.driver, me, &["a"], 9).await;
    assert_eq!(push("s", UniqueUntil::Start).await, Pushed::Stored, "it has begun");
    // A job that is lost does not keep others out for ever.
    stand.advance(Duration::from_secs(101)).await;
    assert_eq!(push("k", UniqueUntil::Done).await, Pushed::Stored);
}

pub async fn who_waits_hears_of_what_is_pushed(stand: Stand) {
    let queues = ["a".to_owned()];
    let hour = Duration::from_secs(3600);
    let waits = stand.clone();
    let waiter = paravel::spawn(async move { waits.driver.wait(&["a".to_owned()], hour).await });
    tokio::task::yield_now().await;
    assert!(!waiter.is_finished());
    push(&stand, vec![message("a")]).await;
    let began = tokio::time::Instant::now();
    waiter.await.unwrap();
    // What is there already is not waited for.
    stand.driver.wait(&queues, hour).await;
    assert!(began.elapsed() < hour / 2, "{:?}", began.elapsed());
}

pub async fn a_transactions_jobs_wait_for_its_commit(stand: Stand) {
    let db = empty::<SqliteConn>(&[]).await.unwrap();
    for commits in [false, true] {
        let (queue, inside) = (stand.queue(), stand.clone());
        let seen = Arc::new(AtomicU64::new(0));
        let sees = Arc::clone(&seen);
        let done = ContainerBuilder::new().freeze().unwrap().scope().run(async {
            db.write(async move |_| {
                queue.dispatch(Count::of("x")).await.unwrap();
                (inside.in_transaction)(&queue, message("count"));
                // From outside: inside, no other database is to be asked.
                let ready = paravel::spawn(async move { depths(&inside, "count").await.ready });
                sees.store(ready.await.unwrap(), SeqCst);
                if commits { Ok(()) } else { Err(undone()) }
            })
            .await
        });
        assert_eq!(done.await.is_ok(), commits);
        assert_eq!(seen.load(SeqCst), 0, "before the commit nobody sees it");
        assert_eq!(depth(&stand, "count").await.0, u64::from(commits));
    }
}

pub async fn what_follows_comes_with_the_end(stand: Stand) {
    let me = worker(&stand).await;
    push(&stand, vec![message("a")]).await;
    let claimed = claim(&*stand.driver, me, &["a"], 1).await.remove(0);
    let next = Message { delay: Some(Duration::ZERO), ..message("a") };
    let later = Message { delay: Some(Duration::from_secs(60)), ..message("a") };
    let then = Push::from(vec![next.clone(), later.clone()]);
    assert_eq!(settle(&stand, &claimed, Outcome::Done { then: then.clone() }).await, Settled::Done);
    assert_eq!(settle(&stand, &claimed, Outcome::Done { then }).await, Settled::Stale, "nothing comes of it twice");
    assert_eq!(depth(&stand, "a").await, (1, 1, 0));
    let now = stand.clock.now();
    let first = claim(&*stand.driver, me, &["a"], 9).await;
    assert_eq!((first.len(), &first[0].message), (1, &Message { due: Some(now), delay: None, ..next }));
    stand.advance(Duration::from_secs(60)).await;
    beat(&stand, me, LIVES).await;
    assert_eq!(tend(&stand, "a").await.0, 1);
    let due = Some(stand.clock.now());
    assert_eq!(claim(&*stand.driver, me, &["a"], 9).await[0].message, Message { due, delay: None, ..later });
}

/// As after an answer that was lost.
pub async fn a_batch_that_is_pushed_once_more_is_left_as_it_is(stand: Stand) {
    let me = worker(&stand).await;
    let batch = NewBatch { finally: vec![message("after")].into(), ..batch(2) };
    let member = || Message { batch: Some(batch.id), ..message("a") };
    let push = Push { messages: vec![member(), member()], batches: vec![batch.clone()], grown: Vec::new() };
    assert_eq!(stand.driver.push(push.clone()).await.unwrap(), [Pushed::Stored; 2]);
    let first = claim(&*stand.driver, me, &["a"], 1).await.remove(0);
    assert_eq!(settle(&stand, &first, Outcome::DONE).await, Settled::Done);
    let alone = message("b");
    let again = Push { messages: [push.messages, vec![alone.clone()]].concat(), ..push };
    assert_eq!(stand.driver.push(again).await.unwrap(), [Pushed::Stored; 3]);
    let found = stand.driver.admin().batches().list(Some(&[batch.id])).await.unwrap().remove(0);
    assert_eq!((found.total, found.pending), (2, 1));
    assert_eq!((depth(&stand, "a").await, depth(&stand, "b").await), ((1, 0, 0), (1, 0, 0)));
    let last = claim(&*stand.driver, me, &["a"], 9).await.remove(0);
    assert_eq!(settle(&stand, &last, Outcome::DONE).await, Settled::Done);
    assert_eq!(depth(&stand, "after").await, (1, 0, 0));
}
