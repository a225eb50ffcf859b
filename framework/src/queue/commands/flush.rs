use std::sync::Arc;

use super::{hours_before, report_deleted, warn_of_memory};
use crate::{
    config::AppConfig,
    console::{Command, Console},
    queue::Queue,
    support::Timestamp,
};

/// `queue:flush`
#[derive(clap::Args)]
struct QueueFlush {
    /// Delete only what failed longer ago than this
    #[arg(long, value_name = "NUMBER")]
    hours: Option<u32>,
    /// Do not ask in production
    #[arg(long)]
    force: bool,
}

impl Command for QueueFlush {
    const NAME: &'static str = "queue:flush";
    const ABOUT: &'static str = "Delete the failed jobs";
    type Dependencies = (Arc<AppConfig>, Arc<Queue>);

    async fn run(self, (app, queue): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        console.guard("Delete the failed jobs", app.is_production(), self.force)?;
        warn_of_memory(console, &queue);
        let before = match self.hours {
            Some(hours) => hours_before(queue.now(), hours),
            // Whatever the clocks of the workers that put them there said.
            None => Timestamp::from(chrono::DateTime::<chrono::Utc>::MAX_UTC),
        };
        report_deleted(console, "failed job(s)", queue.prune_failed(before).await?)
    }
}

crate::command!(QueueFlush);
