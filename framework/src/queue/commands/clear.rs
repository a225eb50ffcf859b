use std::sync::Arc;

use serde::Serialize;

use super::warn_of_memory;
use crate::{
    config::AppConfig,
    console::{Command, Console},
    queue::Queue,
};

/// `queue:clear`
#[derive(clap::Args)]
struct QueueClear {
    /// The queue
    #[arg(value_name = "QUEUE", default_value = "default")]
    queue: String,
    /// Do not ask in production
    #[arg(long)]
    force: bool,
}

#[derive(Serialize)]
struct Cleared<'a> {
    queue: &'a str,
    deleted: u64,
}

impl Command for QueueClear {
    const NAME: &'static str = "queue:clear";
    const ABOUT: &'static str = "Delete the jobs of a queue that wait or are scheduled; what runs goes on";
    type Dependencies = (Arc<AppConfig>, Arc<Queue>);

    async fn run(self, (app, queue): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        let action = format!("Delete all jobs that wait in the queue `{}`", self.queue);
        console.guard(&action, app.is_production(), self.force)?;
        warn_of_memory(console, &queue);
        let cleared = Cleared { queue: &self.queue, deleted: queue.clear(&self.queue).await? };
        Ok(console.rows(&[("Queue", "queue"), ("Deleted", "deleted")], &[cleared])?)
    }
}

crate::command!(QueueClear);
