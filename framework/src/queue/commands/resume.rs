use std::sync::Arc;

use super::{Change, warn_of_memory};
use crate::{
    console::{Command, Console},
    queue::Queue,
};

/// `queue:continue`
#[derive(clap::Args)]
struct QueueContinue {
    /// The queues
    #[arg(required = true, value_name = "QUEUE")]
    queues: Vec<String>,
}

impl Command for QueueContinue {
    const NAME: &'static str = "queue:continue";
    const ABOUT: &'static str = "Have queues go on that were paused";
    type Dependencies = (Arc<Queue>,);

    async fn run(self, (queue,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        warn_of_memory(console, &queue);
        for name in &self.queues {
            queue.resume(name.as_str()).await?;
        }
        let lines: Vec<_> = self.queues.iter().map(|queue| Change { queue, change: "continued" }).collect();
        Ok(console.rows(&[("Queue", "queue"), ("Change", "change")], &lines)?)
    }
}

crate::command!(QueueContinue);
