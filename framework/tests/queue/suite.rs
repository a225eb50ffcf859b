use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use futures_util::future::join_all;
use paravel::{
    container::ContainerBuilder,
    database::SqliteConn,
    queue::{
        Claim, Claimed, Driver, JobId, Message, Outcome, Priority, Pushed, Settled, Settlement, Unique, UniqueUntil,
    },
    support::Clock,
};
use uuid::Uuid;

use super::{Stand, message, undone};
use crate::conformance::empty;

const LIVES: Duration = Duration::from_secs(12);

async fn claim(driver: &dyn Driver, worker: Uuid, queues: &[&str], most: usize) -> Vec<Claimed> {
    let queues: Vec<_> = queues.iter().map(|queue| (*queue).to_owned()).collect();
    driver.claim(Claim { worker, queues: &queues, most }).await.unwrap()
}

async fn worker(stand: &Stand) -> Uuid {
    let worker = Uuid::new_v4();
    stand.driver.beat(worker, LIVES).await.unwrap();
    worker
}

async fn push(stand: &Stand, messages: Vec<Message>) {
    let count = messages.len();
    assert_eq!(stand.driver.push(messages).await.unwrap(), vec![Pushed::Stored; count]);
}

async fn settle(stand: &Stand, claimed: &Claimed, outcome: Outcome) -> Settled {
    let Claimed { message, token, .. } = claimed;
    let settlement = Settlement { id: message.id, queue: message.queue.clone(), token: *token, outcome };
    stand.driver.settle(vec![settlement]).await.unwrap()[0]
}

fn outcomes(stand: &Stand) -> [Outcome; 4] {
    let now = stand.clock.now();
    [
        Outcome::Done,
        Outcome::Retry { due: now },
        Outcome::Release { due: None, payload: None },
        Outcome::Fail { error: "no".to_owned(), at: now },
    ]
}

async fn tend(stand: &Stand, queue: &str) -> (u64, u64) {
    let tended = stand.driver.tend(&[queue.to_owned()]).await.unwrap();
    (tended.due, tended.rescued)
}

/// Ready, scheduled and running.
async fn depth(stand: &Stand, queue: &str) -> (u64, u64, u64) {
    let depth = stand.driver.depth(queue).await.unwrap();
    (depth.ready, depth.scheduled, depth.running)
}

pub async fn what_is_pushed_is_claimed_once_and_in_order(stand: Stand) {
    let me = worker(&stand).await;
    let with = |priority| Message { priority, ..message("a") };
    let messages = [Priority::Normal, Priority::Low, Priority::High, Priority::Normal, Priority::High].map(with);
    let other = message("b");
    push(&stand, [messages.to_vec(), vec![other.clone()]].concat()).await;
    assert_eq!(depth(&stand, "a").await, (5, 0, 0));
    assert!(claim(&*stand.driver, me, &["c"], 9).await.is_empty());
    let first = claim(&*stand.driver, me, &["c", "a", "b"], 2).await;
    let rest = claim(&*stand.driver, me, &["a"], 9).await;
    let order: Vec<_> = first.iter().chain(&rest).map(|claimed| claimed.message.clone()).collect();
    assert_eq!(order, [2, 4, 0, 3, 1].map(|index| messages[index].clone()));
    assert!(first.iter().chain(&rest).all(|claimed| (claimed.attempt, claimed.crashes) == (1, 0)));
    assert!(claim(&*stand.driver, me, &["a"], 9).await.is_empty());
    assert_eq!((depth(&stand, "a").await, depth(&stand, "b").await), ((0, 0, 5), (1, 0, 0)));
    assert_eq!(claim(&*stand.driver, me, &["b"], 9).await[0].message, other);
}

pub async fn of_many_who_claim_each_message_goes_to_one(stand: Stand) {
    let messages: Vec<_> = (0..500).map(|_| message("a")).collect();
    push(&stand, messages.clone()).await;
    let claims = join_all((0..8).map(|_| {
        let stand = stand.clone();
        paravel::spawn(async move {
            let (me, mut ids) = (worker(&stand).await, Vec::new());
            loop {
                let claimed = claim(&*stand.driver, me, &["a"], 7).await;
                if claimed.is_empty() {
                    return ids;
                }
                for claimed in &claimed {
                    assert_eq!(settle(&stand, claimed, Outcome::Done).await, Settled::Done);
                }
                ids.extend(claimed.iter().map(|claimed| claimed.message.id));
            }
        })
    }));
    let claimed: Vec<JobId> = claims.await.into_iter().flat_map(Result::unwrap).collect();
    assert_eq!(claimed.len(), 500);
    assert_eq!(claimed.into_iter().collect::<HashSet<_>>(), messages.iter().map(|message| message.id).collect());
    assert_eq!(depth(&stand, "a").await, (0, 0, 0));
}

pub async fn what_is_done_is_gone(stand: Stand) {
    let me = worker(&stand).await;
    push(&stand, vec![message("a")]).await;
    let claimed = claim(&*stand.driver, me, &["a"], 1).await.remove(0);
    assert_eq!(settle(&stand, &claimed, Outcome::Done).await, Settled::Done);
    assert_eq!(settle(&stand, &claimed, Outcome::Done).await, Settled::Stale, "it is settled once");
    assert_eq!(depth(&stand, "a").await, (0, 0, 0));
    stand.advance(10 * LIVES).await;
    assert_eq!(tend(&stand, "a").await, (0, 0));
    assert!(claim(&*stand.driver, worker(&stand).await, &["a"], 1).await.is_empty());
}

pub async fn an_older_claim_changes_nothing(stand: Stand) {
    for outcome in outcomes(&stand) {
        let slow = worker(&stand).await;
        push(&stand, vec![message("a")]).await;
        let old = claim(&*stand.driver, slow, &["a"], 1).await.remove(0);
        // It is taken for dead, and somebody else has its job.
        stand.advance(LIVES + Duration::from_secs(1)).await;
        let quick = worker(&stand).await;
        assert_eq!(tend(&stand, "a").await.1, 1);
        let new = claim(&*stand.driver, quick, &["a"], 1).await.remove(0);
        assert!(new.token > old.token && new.message == old.message);
        assert_eq!(settle(&stand, &old, outcome.clone()).await, Settled::Stale, "{outcome:?}");
        assert_eq!(depth(&stand, "a").await, (0, 0, 1), "{outcome:?}");
        assert!(stand.driver.failed().list(None).await.unwrap().is_empty(), "{outcome:?}");
        assert_eq!(settle(&stand, &new, Outcome::Done).await, Settled::Done);
        assert_eq!(settle(&stand, &old, outcome.clone()).await, Settled::Stale, "{outcome:?}");
        assert_eq!(depth(&stand, "a").await, (0, 0, 0), "{outcome:?}");
    }
}

pub async fn what_the_dead_had_is_claimed_again_and_what_the_living_have_is_not(stand: Stand) {
    let (dead, alive) = (worker(&stand).await, worker(&stand).await);
    push(&stand, (0..4).map(|_| message("a")).collect()).await;
    let lost = claim(&*stand.driver, dead, &["a"], 2).await;
    let kept = claim(&*stand.driver, alive, &["a"], 2).await;
    for _ in 0..4 {
        stand.advance(LIVES / 3).await;
        stand.driver.beat(alive, LIVES).await.unwrap();
    }
    assert_eq!(tend(&stand, "a").await, (0, 2));
    let again = claim(&*stand.driver, alive, &["a"], 9).await;
    let ids = |claimed: &[Claimed]| claimed.iter().map(|claimed| claimed.message.id).collect::<HashSet<_>>();
    assert_eq!(ids(&again), ids(&lost));
    assert!(again.iter().all(|claimed| (claimed.attempt, claimed.crashes) == (2, 1)), "{again:?}");
    // However long it takes.
    assert_eq!(settle(&stand, &kept[0], Outcome::Done).await, Settled::Done);
    assert_eq!(depth(&stand, "a").await, (0, 0, 3));
}

pub async fn who_leaves_puts_back_what_they_had(stand: Stand) {
    let me = worker(&stand).await;
    push(&stand, vec![message("a")]).await;
    let left = claim(&*stand.driver, me, &["a"], 1).await.remove(0);
    stand.driver.beat(me, Duration::ZERO).await.unwrap();
    assert_eq!(settle(&stand, &left, Outcome::Done).await, Settled::Stale);
    let again = claim(&*stand.driver, worker(&stand).await, &["a"], 1).await.remove(0);
    assert_eq!((again.attempt, again.crashes), (1, 0), "it was no attempt, and no death");
}

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
    stand.driver.beat(me, LIVES).await.unwrap();
    assert_eq!(stand.driver.tend(&["a".to_owned()]).await.unwrap().due, 300);
    let mut claimed = Vec::new();
    while claimed.len() < 300 {
        let more = claim(&*stand.driver, me, &["a"], 999).await;
        assert!(!more.is_empty(), "after {}", claimed.len());
        claimed.extend(more.into_iter().map(|claimed| claimed.message));
    }
    assert_eq!(claimed, later, "the first that came goes first");
}

pub async fn an_attempt_counts_and_a_release_does_not(stand: Stand) {
    let me = worker(&stand).await;
    push(&stand, vec![message("a")]).await;
    let take = async || claim(&*stand.driver, me, &["a"], 1).await.remove(0);
    let first = take().await;
    let payload = Some(vec![7].into());
    assert_eq!(settle(&stand, &first, Outcome::Release { due: None, payload }).await, Settled::Done);
    let again = take().await;
    assert_eq!((again.attempt, &again.message.payload[..]), (1, &[7][..]));
    assert_eq!(settle(&stand, &again, Outcome::Retry { due: stand.clock.now() }).await, Settled::Done);
    let second = take().await;
    assert_eq!((second.attempt, &second.message.payload[..], second.crashes), (2, &[7][..], 0));
    let due = stand.clock.now().plus(Duration::from_secs(5));
    assert_eq!(settle(&stand, &second, Outcome::Release { due: Some(due), payload: None }).await, Settled::Done);
    assert_eq!(depth(&stand, "a").await, (0, 1, 0));
    stand.advance(Duration::from_secs(5)).await;
    assert_eq!(tend(&stand, "a").await.0, 1);
    assert_eq!(take().await.attempt, 2);
}

pub async fn what_failed_is_kept_and_can_be_tried_again(stand: Stand) {
    let me = worker(&stand).await;
    let failed = stand.driver.failed();
    for number in 0..3 {
        push(&stand, vec![message("a")]).await;
        let claimed = claim(&*stand.driver, me, &["a"], 1).await.remove(0);
        stand.clock.advance(Duration::from_secs(1));
        let (error, at) = (format!("no {number}"), stand.clock.now());
        assert_eq!(settle(&stand, &claimed, Outcome::Fail { error, at }).await, Settled::Done);
    }
    let all = failed.list(None).await.unwrap();
    assert_eq!(all.iter().map(|job| &*job.error).collect::<Vec<_>>(), ["no 2", "no 1", "no 0"]);
    assert!(all.iter().all(|job| job.attempts == 1 && job.failed_at <= stand.clock.now()));
    assert_eq!(depth(&stand, "a").await, (0, 0, 0));
    let ids: Vec<_> = all.iter().map(|job| job.message.id).collect();
    assert_eq!(failed.list(Some(&ids[1..2])).await.unwrap(), all[1..2]);
    assert_eq!(failed.forget(&[ids[0], JobId::new()]).await.unwrap(), 1);
    assert_eq!(failed.retry(&ids[..2]).await.unwrap(), 1, "the first is forgotten");
    assert_eq!(failed.list(None).await.unwrap(), all[2..]);
    let again = claim(&*stand.driver, me, &["a"], 9).await;
    assert_eq!((again.len(), &again[0].message, again[0].attempt), (1, &all[1].message, 1));
}

pub async fn a_unique_key_keeps_others_out(stand: Stand) {
    let me = worker(&stand).await;
    let unique = |key: &str, until| {
        let unique = Unique { key: key.to_owned(), lasts: Duration::from_secs(100), until };
        Message { unique: Some(unique), ..message("a") }
    };
    let push = async |key: &str, until| stand.driver.push(vec![unique(key, until)]).await.unwrap()[0];
    // Also in one push.
    let two = vec![unique("k", UniqueUntil::Done), unique("k", UniqueUntil::Done), unique("l", UniqueUntil::Done)];
    assert_eq!(stand.driver.push(two).await.unwrap(), [Pushed::Stored, Pushed::Duplicate, Pushed::Stored]);
    assert_eq!(stand.driver.clear("a").await.unwrap(), 2);
    assert_eq!(push("k", UniqueUntil::Done).await, Pushed::Stored, "what was cleared has no key any more");
    for end in outcomes(&stand) {
        let claimed = claim(&*stand.driver, me, &["a"], 1).await.remove(0);
        assert_eq!(push("k", UniqueUntil::Done).await, Pushed::Duplicate, "it runs");
        settle(&stand, &claimed, end.clone()).await;
        let is_over = matches!(end, Outcome::Done | Outcome::Fail { .. });
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

pub async fn a_cleared_queue_keeps_what_runs(stand: Stand) {
    let me = worker(&stand).await;
    push(&stand, (0..3).map(|_| message("a")).collect()).await;
    let due = Some(stand.clock.now().plus(Duration::from_secs(60)));
    push(&stand, vec![Message { due, ..message("a") }, message("b")]).await;
    let claimed = claim(&*stand.driver, me, &["a"], 1).await.remove(0);
    assert_eq!(stand.driver.clear("a").await.unwrap(), 3);
    assert_eq!((depth(&stand, "a").await, depth(&stand, "b").await), ((0, 0, 1), (1, 0, 0)));
    assert_eq!(settle(&stand, &claimed, Outcome::Retry { due: stand.clock.now() }).await, Settled::Done);
    assert_eq!(claim(&*stand.driver, me, &["a"], 9).await.len(), 1);
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
                queue.dispatch(super::worker::Count::of("x")).await.unwrap();
                (inside.in_transaction)(&queue, message("count"));
                sees.store(inside.driver.depth("count").await.unwrap().ready, SeqCst);
                if commits { Ok(()) } else { Err(undone()) }
            })
            .await
        });
        assert_eq!(done.await.is_ok(), commits);
        assert_eq!(seen.load(SeqCst), 0, "before the commit nobody sees it");
        assert_eq!(depth(&stand, "count").await.0, u64::from(commits));
    }
}
