use std::sync::Arc;

use anyhow::bail;
use serde::Serialize;

use crate::{
    console::{Command, Console},
    queue::Queue,
};

/// `outbox:relay`
#[derive(clap::Args)]
struct OutboxRelay {}

#[derive(Serialize)]
struct Relayed {
    pushes: u64,
}

impl Command for OutboxRelay {
    const NAME: &'static str = "outbox:relay";
    const ABOUT: &'static str = "Push what transactions have left in the outbox; workers do that too, every 5 seconds";
    type Dependencies = (Arc<Queue>,);

    async fn run(self, (queue,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        let mut pushes = 0;
        loop {
            match queue.relay().await? {
                Some(0) => break,
                Some(some) => pushes += some,
                None => bail!(
                    "there is no outbox: jobs wait in the application's database itself, or in this process (QUEUE_CONNECTION)"
                ),
            }
        }
        Ok(console.rows(&[("Pushes", "pushes")], &[Relayed { pushes }])?)
    }
}

crate::command!(OutboxRelay);
