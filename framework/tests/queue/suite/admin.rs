//! What people ask and order.

use std::time::Duration;

use paravel::{
    queue::{Beat, JobId, Message, Order, Outcome, Pushed, Settled, Unique, UniqueUntil},
    support::Clock,
};

use super::{LIVES, claim, depth, depths, fail, push, settle, worker};
use crate::queue::{Stand, message};

pub async fn what_failed_is_kept_and_can_be_tried_again(stand: Stand) {
    let me = worker(&stand).await;
    let failed = stand.driver.admin().failed();
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
    assert_eq!(failed.keys().await.unwrap(), ids);
    assert_eq!(failed.list(Some(&ids[1..2])).await.unwrap(), all[1..2]);
    assert_eq!(failed.forget(&[ids[0], JobId::new()]).await.unwrap(), 1);
    assert_eq!(failed.retry(&ids[..2]).await.unwrap(), 1, "the first is forgotten");
    assert_eq!(failed.list(None).await.unwrap(), all[2..]);
    let again = claim(&*stand.driver, me, &["a"], 9).await;
    let message = Message { due: Some(stand.clock.now()), ..all[1].message.clone() };
    assert_eq!((again.len(), &again[0].message, again[0].attempt), (1, &message, 1));
}

pub async fn what_failed_is_pruned_and_keeps_out_of_the_way_of_its_key(stand: Stand) {
    let (me, failed) = (worker(&stand).await, stand.driver.admin().failed());
    let unique = Unique { key: "k".to_owned(), lasts: Duration::from_secs(1000), until: UniqueUntil::Done };
    let one = Message { unique: Some(unique), ..message("a") };
    push(&stand, vec![one.clone()]).await;
    let claimed = claim(&*stand.driver, me, &["a"], 1).await.remove(0);
    settle(&stand, &claimed, fail(&stand)).await;
    // Another has come meanwhile.
    let other = Message { id: JobId::new(), ..one.clone() };
    push(&stand, vec![other]).await;
    assert_eq!(failed.retry(&[one.id]).await.unwrap(), 0);
    assert_eq!(failed.list(None).await.unwrap().len(), 1);
    stand.driver.admin().clear("a").await.unwrap();
    assert_eq!(failed.retry(&[one.id]).await.unwrap(), 1);
    let again = Message { id: JobId::new(), ..one };
    assert_eq!(stand.driver.push(vec![again].into()).await.unwrap(), [Pushed::Duplicate]);
    let claimed = claim(&*stand.driver, me, &["a"], 1).await.remove(0);
    settle(&stand, &claimed, fail(&stand)).await;
    assert_eq!(failed.prune(stand.clock.now()).await.unwrap(), 0);
    stand.clock.advance(Duration::from_secs(60));
    assert_eq!(failed.prune(stand.clock.now()).await.unwrap(), 1);
}

pub async fn a_cleared_queue_keeps_what_runs(stand: Stand) {
    let me = worker(&stand).await;
    push(&stand, (0..3).map(|_| message("a")).collect()).await;
    let due = Some(stand.clock.now().plus(Duration::from_secs(60)));
    push(&stand, vec![Message { due, ..message("a") }, message("b")]).await;
    let claimed = claim(&*stand.driver, me, &["a"], 1).await.remove(0);
    assert_eq!(stand.driver.admin().clear("a").await.unwrap(), 3);
    assert_eq!((depth(&stand, "a").await, depth(&stand, "b").await), ((0, 0, 1), (1, 0, 0)));
    assert_eq!(settle(&stand, &claimed, Outcome::Retry { due: stand.clock.now(), payload: None }).await, Settled::Done);
    assert_eq!(claim(&*stand.driver, me, &["a"], 9).await.len(), 1);
}

pub async fn a_paused_queue_gives_out_nothing(stand: Stand) {
    let (me, admin) = (worker(&stand).await, stand.driver.admin());
    push(&stand, vec![message("a"), message("b")]).await;
    admin.order(Order::Pause("a".to_owned())).await.unwrap();
    let paused = depths(&stand, "a").await;
    assert!(paused.paused && paused.ready == 1 && paused.oldest.is_some());
    assert_eq!(claim(&*stand.driver, me, &["a", "b"], 9).await[0].message.queue, "b");
    push(&stand, vec![message("a")]).await;
    assert!(claim(&*stand.driver, me, &["a"], 9).await.is_empty());
    admin.order(Order::Continue("a".to_owned())).await.unwrap();
    assert!(!depths(&stand, "a").await.paused);
    assert_eq!(claim(&*stand.driver, me, &["a"], 9).await.len(), 2);
}

pub async fn workers_hear_orders_and_are_known_while_they_live(stand: Stand) {
    let (me, now) = (worker(&stand).await, stand.clock.now());
    let admin = stand.driver.admin();
    let beat =
        async |worker, lives, status: &[u8]| stand.driver.beat(Beat { worker, lives, status }).await.unwrap().restart;
    assert_eq!(beat(me, LIVES, b"{\"running\":1}").await, None);
    let known = admin.workers().await.unwrap();
    assert_eq!(known.iter().map(|(id, said)| (*id, &said[..])).collect::<Vec<_>>(), [(me, &b"{\"running\":1}"[..])]);
    admin.order(Order::Restart(now)).await.unwrap();
    assert_eq!(beat(me, LIVES, b"{}").await, Some(now));
    let gone = worker(&stand).await;
    assert_eq!(admin.workers().await.unwrap().len(), 2);
    beat(gone, Duration::ZERO, b"").await;
    assert_eq!(admin.workers().await.unwrap().len(), 1);
    stand.advance(LIVES + Duration::from_secs(1)).await;
    stand.driver.tend(&[]).await.unwrap();
    assert!(admin.workers().await.unwrap().is_empty());
}

pub async fn what_is_stored_can_be_looked_at(stand: Stand) {
    let me = worker(&stand).await;
    let due = Some(stand.clock.now().plus(Duration::from_secs(60)));
    let mut messages: Vec<_> = (0..250).map(|_| message("a")).collect();
    messages.push(Message { due, ..message("a") });
    push(&stand, messages.clone()).await;
    claim(&*stand.driver, me, &["a"], 3).await;
    let (mut seen, mut from) = (Vec::new(), None);
    loop {
        let page = stand.driver.admin().peek("a", from).await.unwrap();
        seen.extend(page.messages);
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    seen.sort_by_key(|message| message.id);
    messages.sort_by_key(|message| message.id);
    assert_eq!(seen, messages);
}
