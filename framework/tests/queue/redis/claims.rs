//! Claims whose answer was lost, that others have meanwhile, and the many.

use std::time::Duration;

use paravel::{
    queue::{Claimed, DriverError, Message, Outcome, Settled, Turn},
    redis::cmd,
    support::Clock,
};
use uuid::Uuid;

use super::{on, stand};
use crate::{
    queue::{
        Stand, message,
        suite::{beat, claim},
    },
    redis::{OwnServer, shared, until},
};

const LIVES: Duration = Duration::from_secs(3600);

async fn worker(stand: &Stand) -> Uuid {
    let worker = Uuid::new_v4();
    beat(stand, worker, LIVES).await;
    worker
}

async fn settle(stand: &Stand, claimed: &[Claimed], outcome: &Outcome) -> Vec<Settled> {
    let ends: Vec<_> = claimed.iter().map(|claimed| claimed.end(outcome.clone())).collect();
    let turn = Turn { worker: Uuid::new_v4(), ends: &ends, queues: &[], most: 0 };
    stand.driver.turn(turn).await.unwrap().settled
}

fn ids(claimed: &[Claimed]) -> Vec<paravel::queue::JobId> {
    claimed.iter().map(|claimed| claimed.message.id).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_claimed_by_an_answer_that_was_lost_is_claimed_again() {
    let Some(server) = OwnServer::up().await else { return };
    let stand = on(&server.redis(&[("REDIS_TIMEOUT", "300ms")]));
    let me = until(async || {
        let me = Uuid::new_v4();
        let alive = paravel::queue::Beat { worker: me, lives: LIVES, status: b"{}" };
        stand.driver.beat(alive).await.map(|_| me)
    })
    .await;
    let mut admin = server.redis(&[]).blocking().await.unwrap();
    for round in 0..2 {
        let messages = [message("a"), message("a"), Message { unique: None, ..message("b") }];
        until(async || stand.driver.push(messages.to_vec().into()).await).await;
        let held = claim(&*stand.driver, me, &["b"], 1).await;
        admin.run(cmd("CLIENT").arg("PAUSE").arg(3_600_000).arg("WRITE")).await.unwrap();
        let queues = ["a".to_owned()];
        let lost = stand.driver.turn(Turn { worker: me, ends: &[], queues: &queues, most: 9 }).await;
        assert!(matches!(lost, Err(DriverError::Unavailable(_))), "{lost:?}");
        admin.run(cmd("CLIENT").arg("UNPAUSE")).await.unwrap();
        let again = until(async || {
            let claimed = stand.driver.turn(Turn { worker: me, ends: &[], queues: &queues, most: 9 }).await;
            claimed.map_err(|error| error.to_string()).and_then(|turned| match turned.claimed.len() {
                0 => Err("there is nothing".to_owned()),
                _ => Ok(turned.claimed),
            })
        })
        .await;
        assert_eq!(ids(&again), [messages[0].id, messages[1].id], "round {round}");
        assert!(again.iter().all(|claimed| (claimed.attempt, claimed.crashes) == (1, 0)));
        assert_eq!(settle(&stand, &again, &Outcome::DONE).await, [Settled::Done; 2]);
        // What was heard of stays as it was.
        assert_eq!(settle(&stand, &held, &Outcome::DONE).await, [Settled::Done]);
        for queue in ["a", "b"] {
            let depth = stand.driver.admin().depths().await.unwrap();
            let left = depth.iter().find(|(name, _)| name == queue).map(|(_, depth)| depth.total());
            assert_eq!(left, Some(0));
        }
    }
}

/// As where a server has lost the last second, and given what was claimed in it to somebody else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_that_another_consumer_has_is_not_settled() {
    let Some(redis) = shared() else { return };
    let stand = on(&redis);
    let now = stand.clock.now();
    let outcomes = [
        Outcome::DONE,
        Outcome::Cancel,
        Outcome::Retry { due: now, payload: None },
        Outcome::Release { due: None, payload: Some(vec![1].into()) },
        Outcome::Fail { error: "no".to_owned(), at: now },
    ];
    for many in [1, 20] {
        for outcome in &outcomes {
            let me = worker(&stand).await;
            let messages: Vec<_> = (0..many).map(|_| message("a")).collect();
            stand.driver.push(messages.into()).await.unwrap();
            let claimed = claim(&*stand.driver, me, &["a"], many).await;
            let key = redis.key("{queue}:s1:a");
            let entries: Vec<(String, String, u64, u64)> = redis
                .query(cmd("XPENDING").arg(&key).arg("w").arg("-").arg("+").arg(many).arg(me.to_string()))
                .await
                .unwrap();
            let other = Uuid::new_v4().to_string();
            let mut take = cmd("XCLAIM");
            take.arg(&key).arg("w").arg(&other).arg(0);
            let ids: Vec<_> = entries.iter().map(|(id, ..)| id).collect();
            redis.run(take.arg(ids).arg("JUSTID")).await.unwrap();
            assert_eq!(settle(&stand, &claimed, outcome).await, vec![Settled::Stale; many], "{outcome:?}");
            let left: u64 = redis.query(cmd("XLEN").arg(&key)).await.unwrap();
            assert_eq!(usize::try_from(left).unwrap(), many, "{outcome:?}");
            assert!(stand.driver.admin().failed().list(None).await.unwrap().is_empty());
            redis.run(cmd("XGROUP").arg("DELCONSUMER").arg(&key).arg("w").arg(&other)).await.unwrap();
            redis.run(cmd("DEL").arg(&key)).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ends_of_all_kinds_are_told_apart_in_one_turn() {
    let Some(stand) = stand() else { return };
    let (me, now) = (worker(&stand).await, stand.clock.now());
    let queues = ["a", "b"];
    let messages: Vec<_> = (0..30).map(|number| message(queues[number % 2])).collect();
    stand.driver.push(messages.into()).await.unwrap();
    let claimed = claim(&*stand.driver, me, &queues, 30).await;
    let mut ends: Vec<_> = claimed.iter().map(|claimed| claimed.end(Outcome::DONE)).collect();
    ends[3] = claimed[3].end(Outcome::Retry { due: now, payload: None });
    ends[20] = claimed[20].end(Outcome::Fail { error: "no".to_owned(), at: now });
    // Told twice.
    ends.insert(10, ends[9].clone());
    ends.push(ends[20].clone());
    let queues = queues.map(str::to_owned);
    let turned = stand.driver.turn(Turn { worker: me, ends: &ends, queues: &queues, most: 9 }).await.unwrap();
    let stale: Vec<_> = (0..ends.len()).filter(|index| turned.settled[*index] == Settled::Stale).collect();
    assert_eq!(stale, [10, 31]);
    assert_eq!(ids(&turned.claimed), [claimed[3].message.id]);
    assert_eq!(turned.claimed[0].attempt, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backlog_of_twenty_thousand_becomes_due_in_its_order() {
    const MANY: usize = 20_000;
    let Some(server) = OwnServer::up().await else { return };
    let stand = on(&server.redis(&[("REDIS_TIMEOUT", "30s")]));
    let me = worker(&stand).await;
    let due = Some(stand.clock.now().plus(Duration::from_secs(60)));
    let later: Vec<_> = (0..MANY).map(|_| Message { due, ..message("a") }).collect();
    let order: Vec<_> = later.iter().map(|message| message.id).collect();
    stand.driver.push(later.into()).await.unwrap();
    stand.clock.advance(Duration::from_secs(60));
    for left in (0..5).rev() {
        // The worker has its turn in between.
        let tended = stand.driver.tend(&["a".to_owned()]).await.unwrap();
        assert_eq!((tended.due, tended.next), (4000, (left > 0).then_some(Duration::ZERO)));
    }
    let mut seen = Vec::new();
    while seen.len() < MANY {
        let claimed = claim(&*stand.driver, me, &["a"], 5000).await;
        assert!(!claimed.is_empty(), "after {}", seen.len());
        seen.extend(ids(&claimed));
        assert!(settle(&stand, &claimed, &Outcome::DONE).await.iter().all(|settled| *settled == Settled::Done));
    }
    assert!(seen == order);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_living_have_does_not_hide_what_the_dead_left() {
    const MANY: usize = 1500;
    let Some(stand) = stand() else { return };
    (stand.lapse)(Duration::ZERO).await;
    let (alive, dead) = (worker(&stand).await, Uuid::new_v4());
    stand.driver.push((0..MANY).map(|_| message("a")).collect::<Vec<_>>().into()).await.unwrap();
    let kept = claim(&*stand.driver, alive, &["a"], MANY).await;
    assert_eq!(kept.len(), MANY);
    // More than a page, of one that never said it was alive.
    stand.driver.push((0..MANY).map(|_| message("a")).collect::<Vec<_>>().into()).await.unwrap();
    assert_eq!(claim(&*stand.driver, dead, &["a"], MANY).await.len(), MANY);
    assert_eq!(stand.driver.tend(&[]).await.unwrap().rescued, 1500);
    assert_eq!(stand.driver.tend(&[]).await.unwrap().rescued, 0);
    let again = claim(&*stand.driver, alive, &["a"], MANY).await;
    assert!(again.len() == MANY && again.iter().all(|claimed| claimed.crashes == 1));
    assert_eq!(settle(&stand, &kept, &Outcome::DONE).await, vec![Settled::Done; MANY]);
}

/// As after an outage, in which nobody could beat.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_begins_to_look_takes_nothing_from_the_living() {
    let Some(redis) = shared() else { return };
    let stand = on(&redis);
    let me = worker(&stand).await;
    stand.driver.push(vec![message("a")].into()).await.unwrap();
    let claimed = claim(&*stand.driver, me, &["a"], 1).await;
    redis.run(cmd("DEL").arg(redis.key(&format!("{{queue}}:w:{me}")))).await.unwrap();
    let new = on(&redis);
    assert_eq!(new.driver.tend(&[]).await.unwrap().rescued, 0);
    beat(&stand, me, LIVES).await;
    (new.lapse)(Duration::ZERO).await;
    assert_eq!(new.driver.tend(&[]).await.unwrap().rescued, 0);
    assert_eq!(settle(&stand, &claimed, &Outcome::DONE).await, [Settled::Done]);
}
