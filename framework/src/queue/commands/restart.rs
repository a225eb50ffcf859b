use std::sync::Arc;

use serde::Serialize;

use super::warn_of_memory;
use crate::{
    console::{Command, Console},
    queue::Queue,
};

/// `queue:restart`
#[derive(clap::Args)]
struct QueueRestart {}

#[derive(Serialize)]
struct Told {
    workers: usize,
}

impl Command for QueueRestart {
    const NAME: &'static str = "queue:restart";
    const ABOUT: &'static str =
        "Have all workers end what they do and stop, for whoever keeps them running to start them anew";
    type Dependencies = (Arc<Queue>,);

    async fn run(self, (queue,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        warn_of_memory(console, &queue);
        let workers = queue.workers().await?.len();
        queue.restart().await?;
        if console.is_json() {
            return Ok(console.value(&Told { workers })?);
        }
        console.success(format!("Told to {workers} worker(s), which hear it within seconds."));
        Ok(())
    }
}

crate::command!(QueueRestart);
