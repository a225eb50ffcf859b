use std::sync::Arc;

use serde::Serialize;

use super::{AT_ONCE, warn_of_memory};
use crate::{
    console::{Command, Console},
    queue::{BatchId, FailedJob, JobId, Jobs, Priority, Queue, view::MessageView},
    support::Timestamp,
};

/// `queue:failed`
#[derive(clap::Args)]
struct QueueFailed {
    /// Show all of this one
    #[arg(value_name = "ID")]
    id: Option<JobId>,
}

#[derive(Serialize)]
struct Line {
    id: JobId,
    kind: String,
    queue: String,
    failed_at: Timestamp,
    attempts: u32,
    error: String,
}

impl From<&FailedJob> for Line {
    fn from(job: &FailedJob) -> Self {
        let FailedJob { message, failed_at, attempts, .. } = job;
        Self {
            id: message.id,
            kind: message.kind.to_string(),
            queue: message.queue.clone(),
            failed_at: *failed_at,
            attempts: *attempts,
            error: job.reason().to_owned(),
        }
    }
}

/// All that is known of one.
#[derive(Serialize)]
struct Whole<'a> {
    #[serde(flatten)]
    line: Line,
    /// Where the error came from, where that is known.
    backtrace: Option<&'a str>,
    priority: Priority,
    batch: Option<BatchId>,
    unique: Option<&'a str>,
    /// Whether this build has such jobs.
    known: bool,
    /// What can be read of the payload.
    payload: Option<MessageView>,
    /// Why nothing of it can be.
    unreadable: Option<String>,
}

impl<'a> Whole<'a> {
    fn of(job: &'a FailedJob, jobs: &Jobs) -> Self {
        let message = &job.message;
        let (payload, unreadable) = match MessageView::of(message) {
            Ok(view) => (Some(view), None),
            Err(why) => (None, Some(why)),
        };
        Self {
            line: job.into(),
            backtrace: job.backtrace(),
            priority: message.priority,
            batch: message.batch,
            unique: message.unique.as_ref().map(|unique| &*unique.key),
            known: jobs.find(&message.kind).is_some(),
            payload,
            unreadable,
        }
    }
}

impl Command for QueueFailed {
    const NAME: &'static str = "queue:failed";
    const ABOUT: &'static str = "List the failed jobs, or show all of one";
    type Dependencies = (Arc<Queue>, Arc<Jobs>);

    async fn run(self, (queue, jobs): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        warn_of_memory(console, &queue);
        if let Some(id) = self.id {
            let found = queue.find_failed(&[id]).await?;
            for job in &found {
                console.value(&Whole::of(job, &jobs))?;
            }
            return Ok(());
        }
        let mut lines: Vec<Line> = Vec::new();
        for ids in queue.failed_keys().await?.chunks(AT_ONCE) {
            lines.extend(queue.failed_among(ids).await?.iter().map(Line::from));
        }
        let columns = [
            ("Id", "id"),
            ("Kind", "kind"),
            ("Queue", "queue"),
            ("Failed at", "failed_at"),
            ("Attempts", "attempts"),
            ("Error", "error"),
        ];
        Ok(console.rows(&columns, &lines)?)
    }
}

crate::command!(QueueFailed);
