//! The same jobs, dispatched by two processes at once.

use std::{collections::BTreeSet, sync::Arc};

use paravel::{
    console::{Command, Console},
    queue::{Job, JobRun, Queue, UniqueKey},
    support::BoxError,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Records, Role, Store};

/// How many jobs there are, of which each process dispatches half by themselves and half together.
const JOBS: u64 = 400;

/// A job of which there is one.
#[derive(Serialize, Deserialize)]
pub struct Single {
    number: u64,
}

impl Job for Single {
    const NAME: &'static str = "test.single";
    const QUEUE: &'static str = "singles";
    type Dependencies = ();

    async fn handle(self, (): (), _: &JobRun) -> Result<(), BoxError> {
        Ok(())
    }

    fn unique(&self) -> Option<UniqueKey> {
        Some(UniqueKey::new(self.number.to_string()))
    }
}

/// `test:dispatch`: dispatches all of them, and prints which were stored.
#[derive(clap::Args)]
pub struct Dispatch {}

impl Command for Dispatch {
    const NAME: &'static str = "test:dispatch";
    const ABOUT: &'static str = "Dispatch what another process dispatches too";
    type Dependencies = (Arc<Queue>, Arc<Records>, Arc<Role>);

    async fn run(self, (queue, records, role): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        // Its connections are there.
        queue.depths().await?;
        records.add("ready");
        while records.count() < 2 {
            tokio::task::yield_now().await;
        }
        let mut stored = Vec::new();
        for number in 0..JOBS / 2 {
            stored.extend(queue.dispatch(Single { number }).await?.map(|_| number));
        }
        let mut rest: Vec<_> = (JOBS / 2..JOBS).collect();
        if role.0 == "backwards" {
            rest.reverse();
        }
        for some in rest.chunks(20) {
            let ids = queue.dispatch_many(some.iter().map(|number| Single { number: *number })).await?;
            stored.extend(ids.iter().zip(some).filter(|(id, _)| id.is_some()).map(|(_, number)| *number));
        }
        Ok(console.value(&stored)?)
    }
}

pub async fn of_what_two_processes_dispatch_at_once_one_is_stored(store: Store) {
    let queue = store.app.make::<Queue>().unwrap();
    let mut processes = ["forwards", "backwards"].map(|role| store.start_as(role, "test:dispatch"));
    let mut stored = Vec::new();
    for process in &mut processes {
        let (code, numbers) = process.report().await;
        assert_eq!(code, Some(0), "{}", process.said());
        stored.push(numbers.as_array().unwrap().iter().filter_map(Value::as_u64).collect::<BTreeSet<_>>());
    }
    let both: Vec<_> = stored[0].intersection(&stored[1]).collect();
    assert!(both.is_empty(), "stored twice: {both:?}");
    assert_eq!(stored[0].len() + stored[1].len(), usize::try_from(JOBS).unwrap(), "there are some that nobody stored");
    assert_eq!(queue.depth("singles").await.unwrap().ready, JOBS);
    println!("{}: {} and {} stored", store.shared.backend(), stored[0].len(), stored[1].len());
    // Once they are done, nobody has their keys.
    let mut worker = store.start("queue:work --queue singles --stop-when-empty");
    let (code, report) = worker.report().await;
    assert_eq!((code, &report["done"]), (Some(0), &Value::from(JOBS)), "{}", worker.said());
    let again = queue.dispatch_many((0..JOBS).map(|number| Single { number })).await.unwrap();
    assert!(again.iter().all(Option::is_some), "a key stays taken");
}
