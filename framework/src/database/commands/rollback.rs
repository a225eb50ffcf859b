use std::sync::Arc;

use super::{changed, report, seed};
use crate::{
    config::AppConfig,
    console::{Command, Console, Part},
    database::{Migrator, Seeders},
};

const ACTION: &str = "Take back migrations, with the data they hold";

/// `migrate:rollback`
#[derive(clap::Args)]
struct MigrateRollback {
    /// How many batches to take back
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    batches: u32,
    /// How many migrations to take back, whatever their batches
    #[arg(long, conflicts_with = "batches", value_parser = clap::value_parser!(u32).range(1..))]
    step: Option<u32>,
    /// Do not ask in production
    #[arg(long)]
    force: bool,
}

impl Command for MigrateRollback {
    const NAME: &'static str = "migrate:rollback";
    const ABOUT: &'static str = "Take back the last batch of migrations";
    const PART: Option<Part> = Some(Part::Database);
    type Dependencies = (Arc<AppConfig>, Arc<Migrator>);

    async fn run(self, (app, migrator): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        console.guard(ACTION, app.is_production(), self.force)?;
        let taken_back = match self.step {
            Some(step) => migrator.rollback_steps(step).await?,
            None => migrator.rollback(self.batches).await?,
        };
        report(console, "Migration", &changed("rolled back", taken_back))
    }
}

crate::command!(MigrateRollback);

/// `migrate:reset`
#[derive(clap::Args)]
struct MigrateReset {
    /// Do not ask in production
    #[arg(long)]
    force: bool,
}

impl Command for MigrateReset {
    const NAME: &'static str = "migrate:reset";
    const ABOUT: &'static str = "Take back all migrations";
    const PART: Option<Part> = Some(Part::Database);
    type Dependencies = (Arc<AppConfig>, Arc<Migrator>);

    async fn run(self, (app, migrator): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        console.guard(ACTION, app.is_production(), self.force)?;
        report(console, "Migration", &changed("rolled back", migrator.reset().await?))
    }
}

crate::command!(MigrateReset);

/// `migrate:refresh`
#[derive(clap::Args)]
struct MigrateRefresh {
    /// Take back this many migrations only, instead of all
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..))]
    step: Option<u32>,
    /// Do not ask in production
    #[arg(long)]
    force: bool,
    /// Run the seeders afterwards
    #[arg(long)]
    seed: bool,
}

impl Command for MigrateRefresh {
    const NAME: &'static str = "migrate:refresh";
    const ABOUT: &'static str = "Take back all migrations and apply them again";
    const PART: Option<Part> = Some(Part::Database);
    type Dependencies = (Arc<AppConfig>, Arc<Migrator>, Arc<Seeders>);

    async fn run(self, (app, migrator, seeders): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        console.guard(ACTION, app.is_production(), self.force)?;
        let taken_back = match self.step {
            Some(step) => migrator.rollback_steps(step).await?,
            None => migrator.reset().await?,
        };
        let mut all = changed("rolled back", taken_back);
        all.extend(changed("applied", migrator.migrate().await?));
        report(console, "Migration", &all)?;
        if self.seed {
            seed(&seeders, &[], console).await?;
        }
        Ok(())
    }
}

crate::command!(MigrateRefresh);
