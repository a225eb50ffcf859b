use std::sync::Arc;

use crate::{
    config::QueueConfig,
    console::{Command, Console, Stops},
    container,
    queue::Aside,
    schedule::Scheduler,
    support::Clock,
};

/// `schedule:work`
#[derive(clap::Args)]
struct ScheduleWork {}

impl Command for ScheduleWork {
    const NAME: &'static str = "schedule:work";
    const ABOUT: &'static str = "Run what becomes due, until it is stopped";
    type Dependencies = (Arc<Scheduler>, Arc<QueueConfig>, Arc<dyn Clock>);

    async fn run(self, (scheduler, queue, clock): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        // Before anything is printed, so that a stop asked for from then on is never missed.
        let stops = Stops::on_signals()?;
        let tasks = scheduler.tasks().list(clock.now());
        console.success(format!("{} task(s) are scheduled.", tasks.len()));
        console.line("Stop it with Ctrl+C.");
        let app = container::current()?;
        let aside = Aside::begin(&app)?;
        let report = scheduler.work(&app, stops.clone()).await;
        if let Some(aside) = aside {
            aside.finish(stops.enough(queue.grace)).await?;
        }
        Ok(console.value(&report)?)
    }
}

crate::command!(ScheduleWork);
