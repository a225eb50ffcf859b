use std::sync::Arc;

use serde::Serialize;

use super::warn_of_memory;
use crate::{
    console::{Command, Console},
    queue::{BatchStatus, Queue},
};

/// `queue:batches`
#[derive(clap::Args)]
struct QueueBatches {}

#[derive(Serialize)]
struct Line {
    #[serde(flatten)]
    batch: BatchStatus,
    /// In whole percent.
    progress: u64,
    state: &'static str,
}

impl From<BatchStatus> for Line {
    fn from(batch: BatchStatus) -> Self {
        let state = match (batch.finished_at, batch.cancelled_at) {
            (_, Some(_)) => "cancelled",
            (Some(_), None) => "finished",
            (None, None) => "under way",
        };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 100")]
        let progress = (batch.progress() * 100.0) as u64;
        Self { batch, progress, state }
    }
}

impl Command for QueueBatches {
    const NAME: &'static str = "queue:batches";
    const ABOUT: &'static str = "List the batches, the latest first";
    type Dependencies = (Arc<Queue>,);

    async fn run(self, (queue,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        warn_of_memory(console, &queue);
        let lines: Vec<_> = queue.batches().await?.into_iter().map(Line::from).collect();
        let columns = [
            ("Id", "id"),
            ("Name", "name"),
            ("State", "state"),
            ("%", "progress"),
            ("Jobs", "total"),
            ("Pending", "pending"),
            ("Failed", "failed"),
            ("Finished at", "finished_at"),
        ];
        Ok(console.rows(&columns, &lines)?)
    }
}

crate::command!(QueueBatches);
