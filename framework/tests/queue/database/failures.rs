//! What has gone wrong in other queues.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    time::Duration,
};

use paravel::{
    database::{Connection, DbError, Statement},
    queue::{
        BatchId, BatchStatus, Beat, Claimed, DatabaseDriver, Driver, DriverError, Message, NewBatch, Outcome, Push,
        Pushed, QueueAdmin, Settled, Turn, Unique, UniqueUntil,
    },
    support::{Clock, Timestamp},
};
use tokio::sync::{Semaphore, watch};
use uuid::Uuid;

use super::{Own, run};
use crate::queue::{message, suite::claim};

const LIVES: Duration = Duration::from_secs(12);

async fn beats<C: Connection>(driver: &DatabaseDriver<C>, worker: Uuid) {
    driver.beat(Beat { worker, lives: LIVES, status: b"{}" }).await.unwrap();
}

async fn push<C: Connection>(own: &Own<C>, messages: Vec<Message>) {
    own.driver.push(messages.into()).await.unwrap();
}

async fn settle<C: Connection>(driver: &DatabaseDriver<C>, claimed: &Claimed, outcome: Outcome) -> Settled {
    let turn = Turn { worker: Uuid::nil(), ends: &[claimed.end(outcome)], queues: &[], most: 0 };
    driver.turn(turn).await.unwrap().settled[0]
}

async fn tend<C: Connection>(driver: &DatabaseDriver<C>) -> (u64, u64) {
    let tended = driver.tend(&["a".to_owned()]).await.unwrap();
    (tended.due, tended.rescued)
}

pub async fn a_row_that_cannot_be_read_blocks_no_others<C: Connection>(own: Own<C>) {
    let me = Uuid::new_v4();
    beats(&own.driver, me).await;
    push(&own, vec![message("broken"), message("a")]).await;
    let nothing = match C::BACKEND {
        "postgres" => "'\\x00'",
        _ => "x'00'",
    };
    let name = if C::BACKEND == "postgres" { ["'\\x61'", "'\\x62726f6b656e'"] } else { ["x'61'", "x'62726f6b656e'"] };
    let [a, broken] = name;
    run(&own.db, &format!("update queue_jobs set queue = {a}, about = {nothing} where queue = {broken}")).await;
    assert_eq!(claim(&*own.driver, me, &["a"], 1).await.len(), 0, "the first is put aside");
    assert_eq!(claim(&*own.driver, me, &["a"], 1).await.len(), 1);
    let failed = own.driver.failed().list(None).await.unwrap();
    assert_eq!((failed.len(), &*failed[0].message.queue, &*failed[0].message.kind), (1, "a", "unreadable"));
    assert!(failed[0].error.starts_with("its row in `queue_jobs` cannot be read: "), "{}", failed[0].error);
    assert_eq!(failed[0].message.payload, message("a").payload);
}

async fn make_unreadable<C: Connection>(own: &Own<C>) {
    let (nothing, a) = if C::BACKEND == "postgres" { ("'\\x00'", "'\\x61'") } else { ("x'00'", "x'61'") };
    run(&own.db, &format!("update queue_jobs set about = {nothing} where queue = {a}")).await;
}

pub async fn a_member_that_cannot_be_read_has_ended_for_its_batch_and_its_key<C: Connection>(own: Own<C>) {
    let (me, minute) = (Uuid::new_v4(), Duration::from_secs(60));
    beats(&own.driver, me).await;
    let batch = NewBatch {
        id: BatchId::new(),
        name: "fleet".to_owned(),
        total: 2,
        allows_failures: true,
        part_of: None,
        then: Push::NOTHING,
        catch: Push::NOTHING,
        finally: Push::NOTHING,
    };
    let id = batch.id;
    let unique = Unique { key: "test:k".to_owned(), lasts: 60 * minute, until: UniqueUntil::Done };
    let due = Some(own.clock.now().plus(minute));
    let member = Message { batch: Some(id), unique: Some(unique.clone()), due, ..message("a") };
    let other = Message { batch: Some(id), ..message("b") };
    own.driver
        .push(Push { messages: vec![member.clone(), other], batches: vec![batch], ..Push::NOTHING })
        .await
        .unwrap();
    let counts = async || {
        let BatchStatus { pending, failed, cancelled, .. } = own.driver.batches().list(None).await.unwrap().remove(0);
        (pending, failed, cancelled)
    };
    let is_taken = async |unique: &Unique| {
        let push = vec![Message { unique: Some(unique.clone()), ..message("c") }];
        own.driver.push(push.into()).await.unwrap() == [Pushed::Duplicate]
    };
    // Along all ways that a row goes. As a failed one it is written anew, so that comes first.
    let (now, at) = (own.clock.now(), own.clock.now().plus(3 * minute));
    for outcome in [
        Outcome::Fail { error: "no".to_owned(), at: now },
        Outcome::Retry { due: at, payload: None },
        Outcome::Release { due: None, payload: None },
    ] {
        own.advance(minute);
        beats(&own.driver, me).await;
        tend(&own.driver).await;
        let claimed = claim(&*own.driver, me, &["a"], 9).await.remove(0);
        let has_failed = matches!(outcome, Outcome::Fail { .. });
        assert_eq!(settle(&own.driver, &claimed, outcome).await, Settled::Done);
        if has_failed {
            assert_eq!((counts().await, own.driver.failed().retry(&[member.id]).await.unwrap()), ((1, 1, 0), 1));
        }
    }
    assert_eq!((counts().await, is_taken(&unique).await), ((2, 0, 0), true));
    make_unreadable(&own).await;
    assert!(claim(&*own.driver, me, &["a"], 9).await.is_empty());
    assert_eq!((counts().await, is_taken(&unique).await), ((1, 1, 0), false));
    // It is tried again as a member.
    let put_aside: Vec<_> = own.driver.failed().keys().await.unwrap();
    assert_eq!((own.driver.failed().retry(&put_aside).await.unwrap(), counts().await), (1, (2, 0, 0)));
    // And cleared away as one, with what has a key.
    let unique = Unique { key: "test:l".to_owned(), ..unique };
    push(&own, vec![Message { unique: Some(unique.clone()), ..message("a") }]).await;
    make_unreadable(&own).await;
    assert_eq!((own.driver.clear("a").await.unwrap(), counts().await), (2, (1, 0, 1)));
    assert!(!is_taken(&unique).await);
}

pub async fn two_processes_claim_each_row_once<C: Connection>(own: Own<C>) {
    let messages: Vec<_> = (0..600).map(|_| message("a")).collect();
    push(&own, messages.clone()).await;
    let drain = |driver: DatabaseDriver<C>| {
        paravel::spawn(async move {
            let (me, mut ids, mut ends) = (Uuid::new_v4(), Vec::new(), Vec::new());
            beats(&driver, me).await;
            loop {
                let queues = ["a".to_owned()];
                let turned = driver.turn(Turn { worker: me, ends: &ends, queues: &queues, most: 20 }).await.unwrap();
                assert!(turned.settled.iter().all(|settled| *settled == Settled::Done));
                ids.extend(turned.claimed.iter().map(|claimed| claimed.message.id));
                ends = turned.claimed.iter().map(|claimed| claimed.end(Outcome::DONE)).collect();
                if ends.is_empty() {
                    return ids;
                }
            }
        })
    };
    let drains = [drain(DatabaseDriver::clone(&own.driver)), drain(own.other()), drain(own.other())];
    let mut claimed = Vec::new();
    for drain in drains {
        claimed.extend(drain.await.unwrap());
    }
    assert_eq!(claimed.len(), 600);
    assert_eq!(
        claimed.into_iter().collect::<HashSet<_>>(),
        messages.iter().map(|message| message.id).collect::<HashSet<_>>()
    );
}

pub async fn only_who_is_silent_for_long_is_dead_whatever_the_clocks_say<C: Connection>(own: Own<C>) {
    let (other, me) = (own.other(), Uuid::new_v4());
    beats(&own.driver, me).await;
    push(&own, vec![message("a")]).await;
    claim(&*own.driver, me, &["a"], 1).await;
    let now = own.clock.now();
    for hours in [1, -1] {
        let set = now.utc() + chrono(hours);
        own.clock.set(set.into());
        assert_eq!((tend(&own.driver).await, tend(&other).await), ((0, 0), (0, 0)));
    }
    own.clock.set(now);
    // One that has only begun to look does not know for how long the others have been silent.
    own.lapse(&[&other], LIVES).await;
    let third = own.other();
    assert_eq!(tend(&third).await, (0, 0));
    assert_eq!(tend(&other).await, (0, 1));
    own.lapse(&[&third], LIVES).await;
    assert_eq!(tend(&third).await, (0, 0), "it is rescued once");
}

fn chrono(hours: i64) -> ::chrono::TimeDelta {
    ::chrono::TimeDelta::hours(hours)
}

pub async fn a_stale_worker_of_another_process_changes_nothing<C: Connection>(own: Own<C>) {
    let (slow, me) = (own.other(), Uuid::new_v4());
    beats(&slow, me).await;
    push(&own, vec![Message { kind: "known to nobody here".into(), ..message("a") }]).await;
    let old = claim(&slow, me, &["a"], 1).await.remove(0);
    tend(&own.driver).await;
    own.lapse(&[&own.driver], LIVES).await;
    assert!(own.driver.workers().await.unwrap().is_empty(), "nobody has tended the queues yet");
    assert_eq!(tend(&own.driver).await, (0, 1));
    let quick = Uuid::new_v4();
    beats(&own.driver, quick).await;
    let new = claim(&*own.driver, quick, &["a"], 1).await.remove(0);
    assert_eq!(new.message, old.message, "whoever rescues need not know it");
    // It comes back to life.
    beats(&slow, me).await;
    for outcome in [Outcome::DONE, Outcome::Fail { error: "no".to_owned(), at: own.clock.now() }] {
        assert_eq!(settle(&slow, &old, outcome).await, Settled::Stale);
    }
    assert_eq!(tend(&own.driver).await, (0, 0));
    assert_eq!(settle(&own.driver, &new, Outcome::DONE).await, Settled::Done);
}

pub async fn long_jobs_do_not_hide_what_the_dead_have_left<C: Connection>(own: Own<C>) {
    let (alive, dead) = (Uuid::new_v4(), Uuid::new_v4());
    push(&own, (0..2501).map(|_| message("a")).collect()).await;
    beats(&own.driver, alive).await;
    beats(&own.driver, dead).await;
    let mut long = 0;
    while long < 2500 {
        long += claim(&*own.driver, alive, &["a"], 500).await.len();
    }
    let lost = claim(&*own.driver, dead, &["a"], 500).await;
    own.lapse(&[&own.driver], LIVES / 2).await;
    beats(&own.driver, alive).await;
    own.lapse(&[&own.driver], LIVES / 2).await;
    assert_eq!((lost.len(), tend(&own.driver).await), (1, (0, 1)));
    let again = claim(&*own.driver, alive, &["a"], 500).await;
    assert_eq!((again[0].message.id, again[0].crashes), (lost[0].message.id, 1));
}

pub async fn more_than_a_page_that_is_due_at_one_moment_all_becomes_ready<C: Connection>(own: Own<C>) {
    let due = Some(own.clock.now().plus(Duration::from_secs(60)));
    push(&own, (0..4300).map(|_| Message { due, ..message("a") }).collect()).await;
    own.advance(Duration::from_secs(60));
    // The worker has its turn in between.
    let tended = own.driver.tend(&["a".to_owned()]).await.unwrap();
    assert_eq!((tended.due, tended.next), (4000, Some(Duration::ZERO)));
    assert_eq!(tend(&own.driver).await, (300, 0));
    let depths = own.driver.depths().await.unwrap();
    assert_eq!((depths[0].1.ready, depths[0].1.scheduled), (4300, 0));
}

/// Elsewhere a row's key is in each index.
pub async fn what_is_due_is_found_without_sorting_all_that_is<C: Connection>(own: Own<C>) {
    if C::BACKEND != "postgres" {
        return;
    }
    let due = Some(own.clock.now().plus(Duration::from_secs(60)));
    push(&own, (0..4000).map(|_| Message { due, ..message("a") }).collect()).await;
    run(&own.db, "analyze queue_scheduled").await;
    let query = "explain (costs off) select seq from queue_scheduled where queue = '\\x61' and due_at <= 9e15::bigint \
                 order by due_at, seq limit 1000 for update skip locked";
    let explain = Statement::new(query);
    let plan = own.db.write(async move |c| Ok::<_, DbError>(c.fetch(&explain).await?)).await.unwrap();
    let plan: Vec<_> = plan.iter().map(|row| row.text("QUERY PLAN").to_owned()).collect();
    assert!(!plan.iter().any(|step| step.contains("Sort")), "{plan:#?}");
}

/// As while the database was away, or the process stopped.
pub async fn after_a_time_in_which_nobody_could_look_the_living_keep_their_jobs<C: Connection>(own: Own<C>) {
    let (other, me) = (own.other(), Uuid::new_v4());
    beats(&own.driver, me).await;
    push(&own, vec![message("a")]).await;
    let claimed = claim(&*own.driver, me, &["a"], 1).await.remove(0);
    assert_eq!(tend(&other).await, (0, 0));
    own.advance(Duration::from_secs(15));
    for driver in [&*own.driver, &other] {
        assert_eq!(tend(driver).await, (0, 0), "it could not beat either");
        assert_eq!(driver.workers().await.unwrap().len(), 1);
    }
    assert_eq!(settle(&own.driver, &claimed, Outcome::Release { due: None, payload: None }).await, Settled::Done);
    claim(&*own.driver, me, &["a"], 1).await;
    own.lapse(&[&other], LIVES).await;
    assert_eq!(tend(&other).await, (0, 1), "it could have, and did not");
}

/// A clock that fails, once.
struct Fails(AtomicBool);

impl Clock for Fails {
    fn now(&self) -> Timestamp {
        assert!(self.0.swap(true, SeqCst), "the clock has stopped");
        Timestamp::now()
    }
}

pub async fn a_push_that_is_cut_off_holds_up_no_other<C: Connection>(own: Own<C>) {
    let driver = DatabaseDriver::new(Arc::clone(&own.db), Arc::new(Fails(AtomicBool::new(false))));
    let cut_off = driver.push(vec![message("a")].into()).await;
    assert!(matches!(cut_off, Err(DriverError::Unavailable(_))), "{cut_off:?}");
    for _ in 0..3 {
        let pushed = tokio::time::timeout(Duration::from_secs(60), driver.push(vec![message("a")].into()));
        assert_eq!(pushed.await.expect("it waits for the one that is gone").unwrap(), [Pushed::Stored]);
    }
}

pub async fn a_worker_lives_though_its_jobs_have_all_connections<C: Connection>(own: Own<C>) {
    // There, one writes after the other.
    if C::BACKEND == "sqlite" {
        return;
    }
    push(&own, vec![message("a")]).await;
    let (over, held) = watch::channel(false);
    let begun = Arc::new(Semaphore::new(0));
    let busy: Vec<_> = (0..2 * own.db.config().writers)
        .map(|_| {
            let (db, begun, mut held) = (Arc::clone(&own.db), Arc::clone(&begun), held.clone());
            paravel::spawn(async move {
                let job = db.write(async move |_| {
                    begun.add_permits(1);
                    let _ = held.wait_for(|over| *over).await;
                    Ok::<_, DbError>(())
                });
                job.await
            })
        })
        .collect();
    let all = u32::try_from(own.db.config().writers).unwrap();
    begun.acquire_many(all).await.unwrap().forget();
    let me = Uuid::new_v4();
    for _ in 0..3 {
        beats(&own.driver, me).await;
    }
    let claimed = claim(&*own.driver, me, &["a"], 1).await.remove(0);
    assert_eq!(settle(&own.driver, &claimed, Outcome::DONE).await, Settled::Done);
    assert_eq!(begun.available_permits(), 0, "none of them has ended");
    over.send(true).unwrap();
    for job in busy {
        job.await.unwrap().unwrap();
    }
}

pub async fn numbers_beyond_32_bits_are_kept<C: Connection>(own: Own<C>) {
    let me = Uuid::new_v4();
    beats(&own.driver, me).await;
    push(&own, vec![message("a")]).await;
    for table in ["queue_jobs", "queue_scheduled"] {
        let far = match C::BACKEND {
            "sqlite" => {
                run(&own.db, &format!("delete from sqlite_sequence where name = '{table}'")).await;
                format!("insert into sqlite_sequence (name, seq) values ('{table}', 5000000000)")
            }
            "postgres" => format!("alter table {table} alter column seq restart with 5000000000"),
            _ => format!("alter table {table} auto_increment = 5000000000"),
        };
        run(&own.db, &far).await;
    }
    run(&own.db, "update queue_jobs set token = 4000000000").await;
    let before = claim(&*own.driver, me, &["a"], 1).await.remove(0);
    assert_eq!(before.receipt.token, 4_000_000_001);
    assert_eq!(
        settle(&own.driver, &before, Outcome::Retry { due: own.clock.now(), payload: None }).await,
        Settled::Done
    );
    let moved = claim(&*own.driver, me, &["a"], 1).await.remove(0);
    assert!(super::number(&own.db, "select max(seq) as n from queue_jobs").await >= 5_000_000_000);
    let due = own.clock.now().plus(Duration::from_secs(1));
    assert_eq!(settle(&own.driver, &moved, Outcome::Retry { due, payload: None }).await, Settled::Done);
    assert!(super::number(&own.db, "select max(seq) as n from queue_scheduled").await >= 5_000_000_000);
    own.advance(Duration::from_secs(1));
    assert_eq!(tend(&own.driver).await, (1, 0));
    let last = claim(&*own.driver, me, &["a"], 1).await.remove(0);
    assert_eq!((last.receipt.token, last.attempt), (4_000_000_003, 3));
    assert_eq!(settle(&own.driver, &last, Outcome::DONE).await, Settled::Done);
}

/// Waits where nothing is, until something is done.
async fn waits<C: Connection>(own: &Own<C>, then: impl Future<Output = ()>) {
    let other = own.other();
    let waiter = paravel::spawn(async move { other.wait(&["a".to_owned()], Duration::from_secs(3600)).await });
    tokio::task::yield_now().await;
    then.await;
    tokio::time::timeout(Duration::from_secs(60), waiter).await.expect("it waits on").unwrap();
}

pub async fn a_word_that_is_lost_leaves_no_idle_queue<C: Connection>(own: Own<C>) {
    let me = Uuid::new_v4();
    beats(&own.driver, me).await;
    push(&own, vec![message("a")]).await;
    claim(&*own.driver, me, &["a"], 1).await;
    // As it is when whoever was to tell died right after the commit.
    waits(&own, run(&own.db, "update queue_jobs set worker = null")).await;
}

pub async fn another_process_hears_of_what_is_pushed<C: Connection>(own: Own<C>) {
    waits(&own, push(&own, vec![message("a")])).await;
}
