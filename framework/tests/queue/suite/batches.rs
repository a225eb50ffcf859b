//! Batches, as members and what comes of their ends.

use std::time::Duration;

use paravel::{
    queue::{BatchId, BatchStatus, Message, NewBatch, Outcome, PartOf, Push, Settled, Turn},
    support::Clock,
};

use super::{claim, depth, fail, outcomes, settle, worker};
use crate::queue::{Stand, message};

pub(super) fn batch(total: u64) -> NewBatch {
    NewBatch {
        id: BatchId::new(),
        name: "fleet".to_owned(),
        total,
        allows_failures: false,
        part_of: None,
        then: vec![message("then")].into(),
        catch: vec![message("catch")].into(),
        finally: vec![message("finally")].into(),
    }
}

async fn begin(stand: &Stand, batches: &[&NewBatch], members: &[BatchId]) {
    let messages = members.iter().map(|id| Message { batch: Some(*id), ..message("a") }).collect();
    let batches = batches.iter().map(|batch| (*batch).clone()).collect();
    stand.driver.push(Push { messages, batches, grown: Vec::new() }).await.unwrap();
}

async fn status(stand: &Stand, id: BatchId) -> BatchStatus {
    stand.driver.admin().batches().list(Some(&[id])).await.unwrap().remove(0)
}

/// Total, pending and failed; whether it is cancelled, and finished.
async fn state(stand: &Stand, id: BatchId) -> (u64, u64, u64, bool, bool) {
    let BatchStatus { total, pending, failed, cancelled_at, finished_at, .. } = status(stand, id).await;
    (total, pending, failed, cancelled_at.is_some(), finished_at.is_some())
}

/// How much waits as what comes when a batch is done, when it has a failure, and when it has ended.
async fn called(stand: &Stand) -> (u64, u64, u64) {
    (depth(stand, "then").await.0, depth(stand, "catch").await.0, depth(stand, "finally").await.0)
}

pub async fn a_batch_is_done_with_its_last_member(stand: Stand) {
    let (me, fleet) = (worker(&stand).await, batch(3));
    begin(&stand, &[&fleet], &[fleet.id; 3]).await;
    let mut claimed = claim(&*stand.driver, me, &["a"], 9).await;
    assert!(claimed.iter().all(|claimed| claimed.message.batch == Some(fleet.id) && !claimed.cancelled));
    // One more from within, and one that is tried again.
    let more = Message { batch: Some(fleet.id), ..message("a") };
    let grown = vec![(fleet.id, 1), (BatchId::new(), 7)];
    stand.driver.push(Push { messages: vec![more], grown, ..Push::NOTHING }).await.unwrap();
    assert_eq!(state(&stand, fleet.id).await, (4, 4, 0, false, false));
    let retried = claimed.remove(0);
    assert_eq!(settle(&stand, &retried, outcomes(&stand)[1].clone()).await, Settled::Done);
    for claimed in &claimed {
        assert_eq!(settle(&stand, claimed, Outcome::DONE).await, Settled::Done);
        assert_eq!(settle(&stand, claimed, Outcome::DONE).await, Settled::Stale, "it counts once");
    }
    assert_eq!((state(&stand, fleet.id).await, called(&stand).await), ((4, 2, 0, false, false), (0, 0, 0)));
    // The last two in one turn.
    let last = claim(&*stand.driver, me, &["a"], 9).await;
    let ends: Vec<_> = last.iter().map(|claimed| claimed.end(Outcome::DONE)).collect();
    let turned = stand.driver.turn(Turn { worker: me, ends: &ends, queues: &[], most: 0 }).await.unwrap();
    assert_eq!(turned.settled, [Settled::Done; 2]);
    assert_eq!((state(&stand, fleet.id).await, called(&stand).await), ((4, 0, 0, false, true), (1, 0, 1)));
    let (then, finally) = (&fleet.then.messages[0], &fleet.finally.messages[0]);
    assert_eq!(claim(&*stand.driver, me, &["then"], 9).await[0].message.id, then.id);
    assert_eq!(claim(&*stand.driver, me, &["finally"], 9).await[0].message.id, finally.id);
}

pub async fn a_failure_cancels_a_batch_unless_it_allows_failures(stand: Stand) {
    let (me, fleet) = (worker(&stand).await, batch(3));
    begin(&stand, &[&fleet], &[fleet.id; 3]).await;
    let first = claim(&*stand.driver, me, &["a"], 1).await.remove(0);
    assert_eq!(settle(&stand, &first, fail(&stand)).await, Settled::Done);
    assert_eq!((state(&stand, fleet.id).await, called(&stand).await), ((3, 2, 1, true, false), (0, 1, 0)));
    for claimed in claim(&*stand.driver, me, &["a"], 9).await {
        assert!(claimed.cancelled, "those that wait are not run");
        assert_eq!(settle(&stand, &claimed, Outcome::Cancel).await, Settled::Done);
    }
    assert_eq!((state(&stand, fleet.id).await, called(&stand).await), ((3, 0, 1, true, true), (0, 1, 1)));

    let lax = NewBatch { allows_failures: true, ..batch(2) };
    begin(&stand, &[&lax], &[lax.id; 2]).await;
    for claimed in claim(&*stand.driver, me, &["a"], 9).await {
        assert_eq!(settle(&stand, &claimed, fail(&stand)).await, Settled::Done);
    }
    assert_eq!((state(&stand, lax.id).await, called(&stand).await), ((2, 0, 2, false, true), (1, 2, 2)));
}

pub async fn a_batch_may_be_cancelled_cleared_and_pruned(stand: Stand) {
    let (me, fleet, other) = (worker(&stand).await, batch(2), batch(2));
    let batches = stand.driver.admin().batches();
    begin(&stand, &[&fleet], &[fleet.id; 2]).await;
    assert!(batches.cancel(fleet.id).await.unwrap() && !batches.cancel(fleet.id).await.unwrap());
    assert!(!batches.cancel(BatchId::new()).await.unwrap());
    for claimed in claim(&*stand.driver, me, &["a"], 9).await {
        assert!(claimed.cancelled);
        settle(&stand, &claimed, Outcome::Cancel).await;
    }
    assert_eq!((state(&stand, fleet.id).await, called(&stand).await), ((2, 0, 0, true, true), (0, 0, 1)));
    // What is taken out of a queue has ended for its batch too.
    begin(&stand, &[&other], &[other.id; 2]).await;
    let runs = claim(&*stand.driver, me, &["a"], 1).await.remove(0);
    assert_eq!(stand.driver.admin().clear("a").await.unwrap(), 1);
    assert_eq!(state(&stand, other.id).await, (2, 1, 0, false, false));
    let all = batches.list(None).await.unwrap();
    assert_eq!(all.iter().map(|batch| batch.id).collect::<Vec<_>>(), [other.id, fleet.id], "the latest first");
    stand.clock.advance(Duration::from_secs(60));
    assert_eq!(batches.prune(stand.clock.now()).await.unwrap(), 1, "the one that has finished");
    assert_eq!(settle(&stand, &runs, Outcome::DONE).await, Settled::Done);
    assert!(status(&stand, other.id).await.finished_at.is_some());
}

pub async fn a_batch_in_a_batch_is_one_member(stand: Stand) {
    let me = worker(&stand).await;
    for (outcome, ended, calls) in
        [(Outcome::DONE, (1, 0, 0, false, true), (2, 0, 2)), (fail(&stand), (1, 0, 1, true, true), (2, 2, 4))]
    {
        let outer = batch(1);
        let inner = NewBatch { part_of: Some(PartOf { batch: outer.id, goes_on: false }), ..batch(1) };
        begin(&stand, &[&outer, &inner], &[inner.id]).await;
        let claimed = claim(&*stand.driver, me, &["a"], 9).await.remove(0);
        assert_eq!(settle(&stand, &claimed, outcome).await, Settled::Done);
        assert_eq!((state(&stand, outer.id).await, called(&stand).await), (ended, calls));
    }
    // One that goes on has its member in what comes when it is done.
    let outer = batch(1);
    let rest = Message { batch: Some(outer.id), ..message("a") };
    let part_of = Some(PartOf { batch: outer.id, goes_on: true });
    let inner = NewBatch { part_of, then: vec![rest].into(), ..batch(1) };
    begin(&stand, &[&outer, &inner], &[inner.id]).await;
    for finished in [false, true] {
        let claimed = claim(&*stand.driver, me, &["a"], 9).await.remove(0);
        assert_eq!(settle(&stand, &claimed, Outcome::DONE).await, Settled::Done);
        assert_eq!(status(&stand, outer.id).await.finished_at.is_some(), finished);
    }
}

pub async fn a_member_that_is_tried_again_joins_its_batch_again(stand: Stand) {
    let (me, fleet) = (worker(&stand).await, batch(1));
    begin(&stand, &[&fleet], &[fleet.id]).await;
    let claimed = claim(&*stand.driver, me, &["a"], 9).await.remove(0);
    settle(&stand, &claimed, fail(&stand)).await;
    assert_eq!(stand.driver.admin().failed().retry(&[claimed.message.id]).await.unwrap(), 1);
    assert_eq!((state(&stand, fleet.id).await, called(&stand).await), ((1, 1, 0, false, false), (0, 1, 1)));
    let again = claim(&*stand.driver, me, &["a"], 9).await.remove(0);
    assert!(!again.cancelled);
    settle(&stand, &again, Outcome::DONE).await;
    assert_eq!((state(&stand, fleet.id).await, called(&stand).await), ((1, 0, 0, false, true), (1, 1, 1)));
}

pub async fn of_failed_members_one_can_be_tried_again(stand: Stand) {
    let (me, fleet) = (worker(&stand).await, batch(4));
    begin(&stand, &[&fleet], &[fleet.id; 4]).await;
    let mut claimed = claim(&*stand.driver, me, &["a"], 3).await;
    for claimed in &claimed {
        settle(&stand, claimed, fail(&stand)).await;
    }
    let left = claim(&*stand.driver, me, &["a"], 9).await.remove(0);
    settle(&stand, &left, Outcome::Cancel).await;
    assert_eq!((state(&stand, fleet.id).await, called(&stand).await), ((4, 0, 3, true, true), (0, 1, 1)));
    let retried: Vec<_> = claimed.drain(..).map(|claimed| claimed.message.id).collect();
    for (count, id) in (1..).zip(&retried) {
        assert_eq!(stand.driver.admin().failed().retry(&[*id]).await.unwrap(), 1);
        assert_eq!(state(&stand, fleet.id).await, (4, 1, 3 - count, false, false));
        let again = claim(&*stand.driver, me, &["a"], 9).await.remove(0);
        assert!(!again.cancelled, "the batch goes on");
        assert_eq!(settle(&stand, &again, Outcome::DONE).await, Settled::Done);
    }
    // One was never run, so that what comes when all are done does not.
    let BatchStatus { pending, failed, cancelled, finished_at, .. } = status(&stand, fleet.id).await;
    assert_eq!((pending, failed, cancelled, finished_at.is_some()), (0, 0, 1, true));
    assert_eq!(called(&stand).await, (0, 1, 1));
}

pub async fn a_batch_that_goes_on_again_is_a_member_again(stand: Stand) {
    let me = worker(&stand).await;
    let outer = NewBatch { allows_failures: true, ..batch(2) };
    let inner = NewBatch { part_of: Some(PartOf { batch: outer.id, goes_on: false }), ..batch(1) };
    begin(&stand, &[&outer, &inner], &[inner.id, outer.id]).await;
    let mut claimed = claim(&*stand.driver, me, &["a"], 9).await;
    let (member, slow) = (claimed.remove(0), claimed.remove(0));
    settle(&stand, &member, fail(&stand)).await;
    assert_eq!(state(&stand, outer.id).await, (2, 1, 1, false, false));
    assert_eq!(stand.driver.admin().failed().retry(&[member.message.id]).await.unwrap(), 1);
    assert_eq!(state(&stand, outer.id).await, (2, 2, 0, false, false));
    let again = claim(&*stand.driver, me, &["a"], 9).await.remove(0);
    settle(&stand, &again, Outcome::DONE).await;
    assert_eq!(state(&stand, outer.id).await, (2, 1, 0, false, false), "one of its members still runs");
    settle(&stand, &slow, Outcome::DONE).await;
    assert_eq!(state(&stand, outer.id).await, (2, 0, 0, false, true));
    assert_eq!(called(&stand).await, (2, 2, 2));
}

pub async fn what_is_tried_again_is_due_from_then_on(stand: Stand) {
    let me = worker(&stand).await;
    begin(&stand, &[], &[BatchId::new()]).await;
    let claimed = claim(&*stand.driver, me, &["a"], 1).await.remove(0);
    settle(&stand, &claimed, fail(&stand)).await;
    stand.clock.advance(Duration::from_secs(3600));
    assert_eq!(stand.driver.admin().failed().retry(&[claimed.message.id]).await.unwrap(), 1);
    let again = claim(&*stand.driver, me, &["a"], 1).await.remove(0);
    assert_eq!(again.message.due, Some(stand.clock.now()));
}
