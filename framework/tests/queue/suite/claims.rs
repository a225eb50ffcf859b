//! Who has a message, and for how long.

use std::{collections::HashSet, time::Duration};

use futures_util::future::join_all;
use paravel::{
    queue::{Claimed, JobId, Message, Outcome, Priority, Settled},
    support::Clock,
};

use super::{LIVES, beat, claim, depth, outcomes, push, settle, tend, worker};
use crate::queue::{Stand, message};

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
                    assert_eq!(settle(&stand, claimed, Outcome::DONE).await, Settled::Done);
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
    assert_eq!(settle(&stand, &claimed, Outcome::DONE).await, Settled::Done);
    assert_eq!(settle(&stand, &claimed, Outcome::DONE).await, Settled::Stale, "it is settled once");
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
        assert!(new.receipt.token > old.receipt.token && new.message == old.message);
        assert_eq!(settle(&stand, &old, outcome.clone()).await, Settled::Stale, "{outcome:?}");
        assert_eq!(depth(&stand, "a").await, (0, 0, 1), "{outcome:?}");
        assert!(stand.driver.admin().failed().list(None).await.unwrap().is_empty(), "{outcome:?}");
        assert_eq!(settle(&stand, &new, Outcome::DONE).await, Settled::Done);
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
        beat(&stand, alive, LIVES).await;
    }
    assert_eq!(tend(&stand, "a").await, (0, 2));
    let again = claim(&*stand.driver, alive, &["a"], 9).await;
    let ids = |claimed: &[Claimed]| claimed.iter().map(|claimed| claimed.message.id).collect::<HashSet<_>>();
    assert_eq!(ids(&again), ids(&lost));
    assert!(
        again.iter().all(|claimed| (claimed.attempt, claimed.crashes) == (1, 1)),
        "a death is no attempt: {again:?}"
    );
    // However long it takes.
    assert_eq!(settle(&stand, &kept[0], Outcome::DONE).await, Settled::Done);
    assert_eq!(depth(&stand, "a").await, (0, 0, 3));
}

pub async fn who_leaves_puts_back_what_they_had(stand: Stand) {
    let me = worker(&stand).await;
    push(&stand, vec![message("a")]).await;
    let left = claim(&*stand.driver, me, &["a"], 1).await.remove(0);
    beat(&stand, me, Duration::ZERO).await;
    assert_eq!(settle(&stand, &left, Outcome::DONE).await, Settled::Stale);
    let again = claim(&*stand.driver, worker(&stand).await, &["a"], 1).await.remove(0);
    assert_eq!((again.attempt, again.crashes), (1, 0), "it was no attempt, and no death");
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
    assert_eq!(settle(&stand, &again, Outcome::Retry { due: stand.clock.now(), payload: None }).await, Settled::Done);
    let second = take().await;
    assert_eq!((second.attempt, &second.message.payload[..], second.crashes), (2, &[7][..], 0));
    let due = stand.clock.now().plus(Duration::from_secs(5));
    assert_eq!(settle(&stand, &second, Outcome::Release { due: Some(due), payload: None }).await, Settled::Done);
    assert_eq!(depth(&stand, "a").await, (0, 1, 0));
    stand.advance(Duration::from_secs(5)).await;
    assert_eq!(tend(&stand, "a").await.0, 1);
    assert_eq!(take().await.attempt, 2);
}
