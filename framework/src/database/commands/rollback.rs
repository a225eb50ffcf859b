use std::sync::Arc;

use super::{changed, forget_derived, report, seed};
use crate::{
    config::AppConfig,
    console::{Command, Console, Part},
    database::{DatabaseAdmin, DerivedData, MigrationError, Migrator, Seeders},
};

const ACTION: &str = "Take back migrations, with the data they hold";

/// What a run took back, of which nothing is remembered any more; also where it failed, since some may have gone before.
async fn taken_back(
    taken_back: Result<Vec<String>, MigrationError>,
    (database, derived): (&dyn DatabaseAdmin, &[Arc<dyn DerivedData>]),
    console: &mut Console,
) -> anyhow::Result<Vec<String>> {
    if !matches!(&taken_back, Ok(names) if names.is_empty()) {
        forget_derived(database, derived, console).await;
    }
    Ok(taken_back?)
}

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
    type Dependencies = (Arc<AppConfig>, Arc<dyn DatabaseAdmin>, Arc<Migrator>, Vec<Arc<dyn DerivedData>>);

    async fn run(
        self,
        (app, database, migrator, derived): Self::Dependencies,
        console: &mut Console,
    ) -> anyhow::Result<()> {
        console.guard(ACTION, app.is_production(), self.force)?;
        let done = match self.step {
            Some(step) => migrator.rollback_steps(step).await,
            None => migrator.rollback(self.batches).await,
        };
        let names = taken_back(done, (&*database, &derived), console).await?;
        report(console, "Migration", &changed("rolled back", names))
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
    type Dependencies = (Arc<AppConfig>, Arc<dyn DatabaseAdmin>, Arc<Migrator>, Vec<Arc<dyn DerivedData>>);

    async fn run(
        self,
        (app, database, migrator, derived): Self::Dependencies,
        console: &mut Console,
    ) -> anyhow::Result<()> {
        console.guard(ACTION, app.is_production(), self.force)?;
        let names = taken_back(migrator.reset().await, (&*database, &derived), console).await?;
        report(console, "Migration", &changed("rolled back", names))
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
    type Dependencies =
        (Arc<AppConfig>, Arc<dyn DatabaseAdmin>, Arc<Migrator>, Arc<Seeders>, Vec<Arc<dyn DerivedData>>);

    async fn run(
        self,
        (app, database, migrator, seeders, derived): Self::Dependencies,
        console: &mut Console,
    ) -> anyhow::Result<()> {
        console.guard(ACTION, app.is_production(), self.force)?;
        let done = match self.step {
            Some(step) => migrator.rollback_steps(step).await,
            None => migrator.reset().await,
        };
        let names = taken_back(done, (&*database, &derived), console).await?;
        let mut all = changed("rolled back", names);
        all.extend(changed("applied", migrator.migrate().await?));
        report(console, "Migration", &all)?;
        if self.seed {
            seed(&seeders, &[], console).await?;
        }
        Ok(())
    }
}

crate::command!(MigrateRefresh);
