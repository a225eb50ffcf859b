use std::sync::Arc;

use anyhow::bail;

use crate::{
    console::{Command, Console},
    container,
    schedule::{Outcome, Scheduler},
};

/// `schedule:test`
#[derive(clap::Args)]
struct ScheduleTest {
    /// The task's name, as `schedule:list` shows it
    name: String,
}

impl Command for ScheduleTest {
    const NAME: &'static str = "schedule:test";
    const ABOUT: &'static str = "Run one scheduled task now, whatever its times and conditions are";
    type Dependencies = (Arc<Scheduler>,);

    async fn run(self, (scheduler,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        let app = container::current()?;
        // Beside one JSON value there is no room for what a command prints.
        let ran = match console.is_json() {
            true => scheduler.run_now(&self.name, &app, &mut Console::silent()).await?,
            false => scheduler.run_now(&self.name, &app, console).await?,
        };
        match &ran.outcome {
            Outcome::Done if console.is_json() => console.value(&ran)?,
            Outcome::Done => console.success(format!("`{}` is done.", ran.task)),
            Outcome::Failed { error } => bail!("`{}` failed: {error}", ran.task),
            Outcome::Skipped { reason } => bail!("`{}` was not run: {reason}", ran.task),
        }
        Ok(())
    }
}

crate::command!(ScheduleTest);
