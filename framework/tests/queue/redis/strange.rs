//! What this driver did not write, or cannot read.

use std::time::Duration;

use paravel::{
    queue::{BatchId, FailedJob, Message, NewBatch, Priority, Push},
    redis::{Redis, cmd},
    support::Clock,
};
use uuid::Uuid;

use super::on;
use crate::{
    queue::{
        Stand, message,
        suite::{beat, claim},
    },
    redis::shared,
};

const LIVES: Duration = Duration::from_secs(3600);

async fn worker(stand: &Stand) -> Uuid {
    let worker = Uuid::new_v4();
    beat(stand, worker, LIVES).await;
    worker
}

async fn failed(stand: &Stand) -> Vec<FailedJob> {
    stand.driver.admin().failed().list(None).await.unwrap()
}

/// Ready, scheduled and running.
async fn depth(stand: &Stand) -> (u64, u64, u64) {
    let depths = stand.driver.admin().depths().await.unwrap();
    let depth = depths.into_iter().find(|(name, _)| name == "a").map(|(_, depth)| depth).unwrap_or_default();
    (depth.ready, depth.scheduled, depth.running)
}

async fn add(redis: &Redis, field: &str, value: &str) {
    let key = redis.key("{queue}:s1:a");
    redis.run(cmd("XADD").arg(key).arg("*").arg(field).arg(value)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_put_with_the_failed_jobs() {
    let Some(redis) = shared() else { return };
    let stand = on(&redis);
    let me = worker(&stand).await;
    for said in ["of another release", "of another one"] {
        add(&redis, "m", said).await;
    }
    let readable = message("a");
    stand.driver.push(vec![readable.clone()].into()).await.unwrap();
    let claimed = claim(&*stand.driver, me, &["b", "a"], 9).await;
    assert_eq!((claimed.len(), &claimed[0].message), (1, &readable));
    assert_eq!(depth(&stand).await, (0, 0, 1));
    let put_aside = failed(&stand).await;
    let mut said: Vec<_> = put_aside.iter().map(|job| job.message.payload.to_vec()).collect();
    said.sort();
    assert_eq!(said, [&b"of another one"[..], b"of another release"]);
    for job in &put_aside {
        assert_eq!((&*job.message.queue, &*job.message.kind, job.failed_at), ("a", "unreadable", stand.clock.now()));
        assert!(job.error.starts_with("its entry in Redis cannot be read: "), "{}", job.error);
    }
    // As it was, for a release that can read it.
    let ids: Vec<_> = put_aside.iter().map(|job| job.message.id).collect();
    assert_eq!(stand.driver.admin().failed().list(Some(&ids[..1])).await.unwrap(), put_aside[..1]);
    assert_eq!(stand.driver.admin().failed().retry(&ids[..1]).await.unwrap(), 1);
    assert_eq!(depth(&stand).await, (1, 0, 1));
    assert!(claim(&*stand.driver, me, &["a"], 9).await.is_empty());
    assert_eq!((failed(&stand).await.len(), depth(&stand).await), (2, (0, 0, 1)));
    assert_eq!(stand.driver.admin().failed().forget(&ids).await.unwrap(), 1, "it has another key now");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_scheduled_and_cannot_be_read_is_in_nobodys_way() {
    let Some(redis) = shared() else { return };
    let stand = on(&redis);
    let me = worker(&stand).await;
    let due = Some(stand.clock.now().plus(Duration::from_secs(60)));
    stand.driver.push(vec![Message { due, ..message("a") }].into()).await.unwrap();
    for odd in ["", "odd", "odd, and longer than a number"] {
        redis.run(cmd("ZADD").arg(redis.key("{queue}:later:a")).arg(1).arg(odd)).await.unwrap();
    }
    let page = stand.driver.admin().peek("a", Some("later 0".to_owned())).await.unwrap();
    assert_eq!(page.messages.len(), 1);
    stand.clock.advance(Duration::from_secs(60));
    stand.driver.tend(&["a".to_owned()]).await.unwrap();
    assert_eq!((depth(&stand).await, failed(&stand).await.len()), ((1, 0, 0), 3));
    assert_eq!(claim(&*stand.driver, me, &["a"], 9).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_entry_without_a_message_is_not_lost() {
    let Some(redis) = shared() else { return };
    let stand = on(&redis);
    let me = worker(&stand).await;
    stand.driver.push(vec![message("a")].into()).await.unwrap();
    assert_eq!(claim(&*stand.driver, me, &["a"], 1).await.len(), 1);
    add(&redis, "x", "somebody else's").await;
    let key = redis.key("{queue}:s1:a");
    let mut read = cmd("XREADGROUP");
    read.arg("GROUP").arg("w").arg(me.to_string()).arg("STREAMS").arg(&key).arg(">");
    redis.run(&read).await.unwrap();
    beat(&stand, me, Duration::ZERO).await;
    assert_eq!(depth(&stand).await, (1, 0, 0));
    let put_aside = failed(&stand).await;
    let payload = String::from_utf8_lossy(&put_aside[0].message.payload).into_owned();
    assert!(put_aside.len() == 1 && payload.contains("somebody else's"), "{put_aside:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_member_that_cannot_be_read_has_failed_for_its_batch() {
    let Some(redis) = shared() else { return };
    let stand = on(&redis);
    let me = worker(&stand).await;
    let batch = batch(Push::NOTHING);
    let push = Push { batches: vec![batch.clone()], ..Push::NOTHING };
    stand.driver.push(push).await.unwrap();
    let key = redis.key("{queue}:s1:a");
    let id = batch.id.uuid().as_bytes().to_vec();
    redis.run(cmd("XADD").arg(key).arg("*").arg("m").arg("odd").arg("b").arg(id).arg("u").arg("odd")).await.unwrap();
    assert!(claim(&*stand.driver, me, &["a"], 9).await.is_empty());
    let found = stand.driver.admin().batches().list(None).await.unwrap().remove(0);
    assert_eq!((found.pending, found.failed, failed(&stand).await.len()), (0, 1, 1));
}

fn batch(finally: Push) -> NewBatch {
    NewBatch {
        id: BatchId::new(),
        name: "fleet".to_owned(),
        total: 1,
        allows_failures: false,
        part_of: None,
        then: Push::NOTHING,
        catch: Push::NOTHING,
        finally,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_batch_pushes_that_is_cleared_away_stays() {
    let Some(redis) = shared() else { return };
    let stand = on(&redis);
    let due = Some(stand.clock.now().plus(Duration::from_secs(60)));
    let after = [Message { priority: Priority::Low, ..message("a") }, Message { due, ..message("a") }];
    let batch = batch(after.to_vec().into());
    let member = Message { batch: Some(batch.id), ..message("a") };
    let later: Vec<_> = (0..1500).map(|_| Message { due, ..message("a") }).collect();
    let push = Push { messages: vec![member], batches: vec![batch], ..Push::NOTHING };
    stand.driver.push(push).await.unwrap();
    stand.driver.push(later.into()).await.unwrap();
    assert_eq!(stand.driver.admin().clear("a").await.unwrap(), 1501);
    assert_eq!(depth(&stand).await, (1, 1, 0));
    let me = worker(&stand).await;
    let claimed = claim(&*stand.driver, me, &["a"], 9).await;
    assert_eq!(claimed[0].message.id, after[0].id);
    assert!(claimed[0].message.batch.is_none());
}
