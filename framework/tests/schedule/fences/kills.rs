//! Two schedulers over one store, of which one is killed.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use paravel::{
    schedule::{Claim, Missed, Schedule, TaskFailed},
    support::{BoxError, Timestamp},
};
use tokio::time::sleep;

use crate::queue::processes::{Process, Random, Records, Role, Store, until, variable};

/// A scheduler whose tasks take for ever.
const FIRST: &str = "first";

/// How often one is killed, where `KILL_ROUNDS` says nothing.
const ROUNDS: u64 = 3;

/// What the schedulers of these tests run. For which time a task runs is told to who hears that it failed.
pub fn fill(schedule: &mut Schedule) {
    let beacon = async || Err::<(), BoxError>("its time is to be known".into());
    let record = async |failed: &TaskFailed, records: Arc<Records>| {
        records.add(&format!("beacon {}", failed.due.utc().timestamp()));
    };
    let task = schedule.call("beacon", beacon).every_second().on_one_server();
    task.missed(Missed::Each { at_most: 600 }).on_failure(record);
    let long = async |records: Arc<Records>, role: Arc<Role>| {
        records.add(&format!("long {}", role.0));
        if role.0 == FIRST {
            std::future::pending::<()>().await;
        }
    };
    schedule.call("long", long).every_second().without_overlapping();
}

/// For which times the beacon was lit.
fn lit(store: &Store) -> Vec<i64> {
    let all = store.records.all();
    all.iter().filter_map(|record| record.strip_prefix("beacon ")).map(|due| due.parse().unwrap()).collect()
}

fn count(store: &Store, what: &str) -> usize {
    store.records.all().iter().filter(|record| *record == what).count()
}

/// Waits until so many more have been lit.
async fn goes_on(store: &Store, more: usize) {
    let enough = lit(store).len() + more;
    until("the schedulers do nothing", async || (lit(store).len() >= enough).then_some(())).await;
}

fn scheduler(store: &Store, role: &str) -> Process {
    store.start_as(role, "schedule:work")
}

async fn each_run_is_one_schedulers_though_they_are_killed(store: Store) {
    let seed = variable("KILL_SEED").unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0);
    println!("{}: KILL_SEED={seed}", store.shared.backend());
    let mut random = Random(seed);
    let first = scheduler(&store, FIRST);
    until("it does not begin", async || (count(&store, "long first") == 1).then_some(())).await;
    let mut schedulers = [first, scheduler(&store, "second")];
    // Many a time it is due in the other.
    goes_on(&store, 4).await;
    assert_eq!(count(&store, "long second"), 0, "it overlaps what runs in the other");
    schedulers[0].kill();
    schedulers[0] = scheduler(&store, "third");
    let rounds = variable("KILL_ROUNDS").unwrap_or(ROUNDS);
    for _ in 0..rounds {
        goes_on(&store, 1).await;
        sleep(Duration::from_millis(random.below(2000))).await;
        let victim = usize::from(random.below(2) == 1);
        schedulers[victim].kill();
        schedulers[victim] = scheduler(&store, "another");
    }
    // Once it is not believed any more to be at it.
    let comes =
        async || store.records.all().iter().any(|record| *record != "long first" && record.starts_with("long "));
    until("the task of one that is dead is not begun again", async || comes().await.then_some(())).await;
    goes_on(&store, 2).await;
    for scheduler in &mut schedulers {
        scheduler.signal("TERM");
        assert_eq!(scheduler.report().await.0, Some(0), "{}", scheduler.said());
    }
    let lit = lit(&store);
    let each: BTreeSet<_> = lit.iter().copied().collect();
    assert_eq!(each.len(), lit.len(), "a time was seen to twice: {lit:?}");
    let (first, last) = (each.first().copied().unwrap(), each.last().copied().unwrap());
    let missing: Vec<_> = (first..=last).filter(|due| !each.contains(due)).collect();
    for due in &missing {
        let claim = Claim { task: "beacon", due: Timestamp::from_unix(*due), by: "the test" };
        assert!(!store.fence().claim(claim).await.unwrap(), "{due} was left to nobody");
    }
    println!("{}: {rounds} kills, lit {} times, {} died with it", store.shared.backend(), each.len(), missing.len());
}

macro_rules! on_every_store {
    ($($(#[$feature:meta])? $store:ident,)*) => {
        $($(#[$feature])?
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $store() {
            if let Some(store) = Store::new(stringify!($store)).await {
                each_run_is_one_schedulers_though_they_are_killed(store).await;
            }
        })*
    };
}

on_every_store! {
    sqlite,
    #[cfg(feature = "postgres")] postgres,
    #[cfg(feature = "mysql")] mysql,
    #[cfg(feature = "redis")] redis,
}
