use std::sync::Arc;

use super::{JOB_CHANGES, JobChange, warn_of_memory};
use crate::{
    console::{Command, Console},
    queue::{JobId, Queue},
};

/// `queue:forget`
#[derive(clap::Args)]
struct QueueForget {
    /// The failed jobs
    #[arg(required = true, value_name = "ID")]
    ids: Vec<JobId>,
}

impl Command for QueueForget {
    const NAME: &'static str = "queue:forget";
    const ABOUT: &'static str = "Delete some of the failed jobs";
    type Dependencies = (Arc<Queue>,);

    async fn run(self, (queue,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        warn_of_memory(console, &queue);
        let jobs = queue.find_failed(&self.ids).await?;
        queue.forget(&self.ids).await?;
        let change = |job: crate::queue::FailedJob| JobChange {
            id: job.message.id,
            kind: job.message.kind.into_owned(),
            change: "forgotten",
        };
        let lines: Vec<_> = jobs.into_iter().map(change).collect();
        Ok(console.rows(&JOB_CHANGES, &lines)?)
    }
}

crate::command!(QueueForget);
