use std::sync::Arc;

use crate::{
    console::{Command, Console, Stage},
    schedule::Tasks,
    support::Clock,
};

/// `schedule:list`
#[derive(clap::Args)]
struct ScheduleList {}

impl Command for ScheduleList {
    const NAME: &'static str = "schedule:list";
    const ABOUT: &'static str = "List what runs by itself, and when it does next";
    const STAGE: Stage = Stage::Verified;
    type Dependencies = (Arc<Tasks>, Arc<dyn Clock>);

    async fn run(self, (tasks, clock): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        let tasks = tasks.list(clock.now());
        if tasks.is_empty() && !console.is_json() {
            console.line("Nothing is scheduled.");
            return Ok(());
        }
        let columns = [
            ("Expression", "expression"),
            ("Task", "name"),
            ("Next due", "next_due"),
            ("Time zone", "timezone"),
            ("Runs", "flags"),
        ];
        Ok(console.rows(&columns, &tasks)?)
    }
}

crate::command!(ScheduleList);
