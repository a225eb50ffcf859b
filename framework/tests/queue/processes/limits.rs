//! Jobs that are too much for their worker: for its memory, or for its life.

use std::{process::Command, sync::Arc, time::Duration};

use paravel::{
    queue::{Job, JobRun, Queue},
    support::BoxError,
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Records, Role, Store, until};

/// What a worker may take, and what a job takes beside what the process has anyway, in MiB.
const MOST: usize = 250;
const TAKES: usize = 300;

/// What `Role` a worker has that does not let its jobs end.
const FIRST: &str = "first";

#[derive(Serialize, Deserialize)]
pub struct Burden {
    what: String,
}

impl Burden {
    fn of(what: &str) -> Self {
        Self { what: what.to_owned() }
    }
}

impl Job for Burden {
    const NAME: &'static str = "test.burden";
    const QUEUE: &'static str = "burdens";
    type Dependencies = (Arc<Records>, Arc<Role>);

    async fn handle(self, (records, role): Self::Dependencies, run: &JobRun) -> Result<(), BoxError> {
        match &*self.what {
            "takes memory" => {
                // All of it is written to.
                let taken = std::hint::black_box(vec![1_u8; TAKES << 20]);
                records.add("takes memory");
                run.stopping().await;
                drop(taken);
            }
            "kills" => {
                records.add("kills");
                let count = |what: &str| records.all().iter().filter(|record| *record == what).count();
                // Those beside it are to have begun.
                while role.0 == FIRST && count("a begins") < 2 * count("kills") {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                // As the kernel does when there is no memory left.
                Command::new("kill").args(["-s", "KILL", &std::process::id().to_string()]).status()?;
                std::future::pending::<()>().await;
            }
            what if role.0 == FIRST => {
                records.add(&format!("{what} begins"));
                std::future::pending::<()>().await;
            }
            what => records.add(&format!("{what} ran {}", run.attempt())),
        }
        Ok(())
    }
}

fn count(store: &Store, what: &str) -> usize {
    store.records.all().iter().filter(|record| *record == what).count()
}

async fn until_recorded(store: &Store, what: &str, times: usize) {
    until(what, async || (count(store, what) >= times).then_some(())).await;
}

/// How a worker ends of which so much is told, and nothing has gone wrong.
fn report(done: u64, released: u64, ended: &str) -> serde_json::Value {
    json!({
        "done": done, "retried": 0, "failed": 0, "released": released, "cancelled": 0, "stale": 0, "ended": ended,
    })
}

pub async fn a_worker_that_takes_too_much_memory_leaves_its_other_jobs_to_others(store: Store) {
    let queue = store.app.make::<Queue>().unwrap();
    let jobs = ["takes memory", "a", "a", "b", "b", "b"].map(Burden::of);
    queue.dispatch_many(jobs).await.unwrap();
    let line = "queue:work --queue burdens --concurrency 3";
    let mut first = store.start_as(FIRST, &format!("{line} --memory {MOST} --grace 1s"));
    until_recorded(&store, "takes memory", 1).await;
    until_recorded(&store, "a begins", 2).await;
    let mut second = store.start(line);
    // The one that takes the memory comes to its end; what it has beside that does not, and goes back.
    assert_eq!(first.report().await, (Some(12), report(1, 2, "memory")), "{}", first.said());
    assert!(first.said().contains("error: it took more memory than it may: start it anew"), "{}", first.said());
    until_recorded(&store, "a ran 1", 2).await;
    until_recorded(&store, "b ran 1", 3).await;
    second.signal("TERM");
    assert_eq!(second.report().await, (Some(0), report(5, 0, "stopped")), "{}", second.said());
    assert!(queue.depths().await.unwrap().iter().all(|(_, depth)| depth.total() == 0));
    assert!(queue.failed().await.unwrap().is_empty());
}

pub async fn a_job_that_kills_its_workers_is_put_aside_and_those_beside_it_run(store: Store) {
    let queue = store.app.make::<Queue>().unwrap();
    let ids = queue.dispatch_many(["a", "a", "kills"].map(Burden::of)).await.unwrap();
    let line = "queue:work --queue burdens";
    for death in 1..=3 {
        let role = if death < 3 { FIRST } else { "third" };
        let mut worker = store.start_as(role, line);
        worker.is_killed().await;
        assert_eq!(count(&store, "kills"), death);
        // Which takes twelve seconds by itself.
        store.end_leases().await;
    }
    // Who has only begun to look does not know yet who is dead, and ends at once where it is to end when there is nothing.
    let mut last = store.start(line);
    until("put aside", async || (!queue.failed().await.unwrap().is_empty()).then_some(())).await;
    until_recorded(&store, "a ran 1", 2).await;
    last.signal("TERM");
    let (code, ended) = last.report().await;
    assert_eq!((code, &ended["failed"], &ended["stale"]), (Some(0), &json!(1), &json!(0)), "{}", last.said());
    assert_eq!((count(&store, "kills"), count(&store, "a ran 1")), (3, 2));
    let failed = queue.failed().await.unwrap();
    assert_eq!(failed.iter().map(|job| Some(job.message.id)).collect::<Vec<_>>(), ids[2..]);
    assert_eq!(failed[0].error, "its worker died 3 times while it ran, so it is not run again");
    assert!(queue.depths().await.unwrap().iter().all(|(_, depth)| depth.total() == 0));
}
