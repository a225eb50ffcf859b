use std::sync::Arc;

use super::{hours_before, report_deleted, warn_of_memory};
use crate::{
    console::{Command, Console, Part},
    queue::{InboxPruner, Queue},
    support::Clock,
};

/// `queue:prune-failed`
#[derive(clap::Args)]
struct QueuePruneFailed {
    /// Delete what failed longer ago than this
    #[arg(long, value_name = "NUMBER", default_value_t = 24)]
    hours: u32,
}

impl Command for QueuePruneFailed {
    const NAME: &'static str = "queue:prune-failed";
    const ABOUT: &'static str = "Delete the failed jobs that have been there for long";
    type Dependencies = (Arc<Queue>,);

    async fn run(self, (queue,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        warn_of_memory(console, &queue);
        let pruned = queue.prune_failed(hours_before(queue.now(), self.hours)).await?;
        report_deleted(console, "failed job(s)", pruned)
    }
}

crate::command!(QueuePruneFailed);

/// `queue:prune-batches`
#[derive(clap::Args)]
struct QueuePruneBatches {
    /// Delete what finished longer ago than this
    #[arg(long, value_name = "NUMBER", default_value_t = 24)]
    hours: u32,
}

impl Command for QueuePruneBatches {
    const NAME: &'static str = "queue:prune-batches";
    const ABOUT: &'static str = "Delete the batches that finished long ago";
    type Dependencies = (Arc<Queue>,);

    async fn run(self, (queue,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        warn_of_memory(console, &queue);
        let pruned = queue.prune_batches(hours_before(queue.now(), self.hours)).await?;
        report_deleted(console, "batch(es)", pruned)
    }
}

crate::command!(QueuePruneBatches);

/// `queue:prune-inbox`
#[derive(clap::Args)]
struct QueuePruneInbox {
    /// Forget what was had longer ago than this: whatever may still be tried again has to be younger
    #[arg(long, value_name = "NUMBER", default_value_t = 168)]
    hours: u32,
}

impl Command for QueuePruneInbox {
    const NAME: &'static str = "queue:prune-inbox";
    const ABOUT: &'static str = "Forget what consumers had long ago, and so would have again";
    const PART: Option<Part> = Some(Part::Database);
    type Dependencies = (Arc<InboxPruner>, Arc<dyn Clock>);

    async fn run(self, (inbox, clock): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        let pruned = inbox.prune(hours_before(clock.now(), self.hours)).await?;
        report_deleted(console, "mark(s) of the inbox", pruned)
    }
}

crate::command!(QueuePruneInbox);
