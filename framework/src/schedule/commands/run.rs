use std::sync::Arc;

use anyhow::bail;
use serde::Serialize;

use crate::{
    config::QueueConfig,
    console::{Command, Console, Stops},
    container,
    queue::Aside,
    schedule::{Outcome, Ran, Scheduler},
};

/// `schedule:run`
#[derive(clap::Args)]
struct ScheduleRun {}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(flatten)]
    ran: &'a Ran,
    /// Why it failed or was not run, as people read it.
    why: Option<String>,
}

impl<'a> Line<'a> {
    fn of(ran: &'a Ran) -> Self {
        let why = match &ran.outcome {
            Outcome::Done => None,
            Outcome::Failed { error } => Some(error.clone()),
            Outcome::Skipped { reason } => Some(reason.to_string()),
        };
        Self { ran, why }
    }
}

impl Command for ScheduleRun {
    const NAME: &'static str = "schedule:run";
    const ABOUT: &'static str = "Run what is due this minute, once; for a system's own cron";
    type Dependencies = (Arc<Scheduler>, Arc<QueueConfig>);

    async fn run(self, (scheduler, queue): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        // Before anything runs, so that a stop asked for from then on is never missed.
        let stops = Stops::on_signals()?;
        let app = container::current()?;
        let aside = Aside::begin(&app)?;
        let all = scheduler.run(&app, stops.clone()).await;
        if let Some(aside) = aside {
            // What was dispatched may take its time, unless somebody stops it, or has.
            aside.finish(stops.enough(queue.grace)).await?;
        }
        if all.is_empty() && !console.is_json() {
            console.line("Nothing is due.");
            return Ok(());
        }
        let columns =
            [("Task", "task"), ("Due", "due"), ("Outcome", "outcome"), ("ms", "milliseconds"), ("Why", "why")];
        console.rows(&columns, &all.iter().map(Line::of).collect::<Vec<_>>())?;
        let failed = all.iter().filter(|ran| matches!(ran.outcome, Outcome::Failed { .. }));
        let failed: Vec<_> = failed.map(|ran| ran.task.as_str()).collect();
        if !failed.is_empty() {
            bail!("{} of {} failed: {}", failed.len(), all.len(), failed.join(", "));
        }
        Ok(())
    }
}

crate::command!(ScheduleRun);
