use std::sync::Arc;

use super::{Change, warn_of_memory};
use crate::{
    console::{Command, Console},
    queue::Queue,
};

/// `queue:pause`
#[derive(clap::Args)]
struct QueuePause {
    /// The queues
    #[arg(required = true, value_name = "QUEUE")]
    queues: Vec<String>,
}

impl Command for QueuePause {
    const NAME: &'static str = "queue:pause";
    const ABOUT: &'static str = "Have nothing taken from queues any more; what runs goes on";
    type Dependencies = (Arc<Queue>,);

    async fn run(self, (queue,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        warn_of_memory(console, &queue);
        for name in &self.queues {
            queue.pause(name.as_str()).await?;
        }
        let lines: Vec<_> = self.queues.iter().map(|queue| Change { queue, change: "paused" }).collect();
        Ok(console.rows(&[("Queue", "queue"), ("Change", "change")], &lines)?)
    }
}

crate::command!(QueuePause);
