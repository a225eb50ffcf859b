use std::sync::Arc;

use super::{changed, forget_derived, report, seed};
use crate::{
    config::AppConfig,
    console::{Command, Console, Part, Stage},
    database::{DatabaseAdmin, DerivedData, Migrator, Seeders},
};

/// `migrate`
#[derive(clap::Args)]
struct Migrate {
    /// Do not ask in production
    #[arg(long)]
    force: bool,
    /// Print the SQL that would run, and change nothing
    #[arg(long, conflicts_with_all = ["seed", "step"])]
    pretend: bool,
    /// Run the seeders afterwards
    #[arg(long)]
    seed: bool,
    /// Make each migration a batch of its own
    #[arg(long)]
    step: bool,
}

impl Command for Migrate {
    const NAME: &'static str = "migrate";
    const ABOUT: &'static str = "Apply the pending migrations";
    const PART: Option<Part> = Some(Part::Database);
    type Dependencies = (Arc<AppConfig>, Arc<Migrator>, Arc<Seeders>);

    async fn run(self, (app, migrator, seeders): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        if self.pretend {
            return pretend(&migrator, console).await;
        }
        console.guard("Migrate the database", app.is_production(), self.force)?;
        let applied = if self.step { migrator.migrate_stepwise().await? } else { migrator.migrate().await? };
        report(console, "Migration", &changed("applied", applied))?;
        if self.seed {
            seed(&seeders, &[], console).await?;
        }
        Ok(())
    }
}

crate::command!(Migrate);

async fn pretend(migrator: &Migrator, console: &mut Console) -> anyhow::Result<()> {
    let pending = migrator.pretend().await?;
    if console.is_json() {
        return Ok(console.value(&pending)?);
    }
    if pending.is_empty() {
        console.line("Nothing to do.");
    }
    for migration in pending {
        console.line(format!("-- {}\n{}\n", migration.name, migration.sql.trim_end()));
    }
    Ok(())
}

/// `migrate:status`
#[derive(clap::Args)]
struct MigrateStatus {}

impl Command for MigrateStatus {
    const NAME: &'static str = "migrate:status";
    const ABOUT: &'static str = "List the migrations and where each stands";
    // To boot would make a database that is not there yet.
    const STAGE: Stage = Stage::Verified;
    const PART: Option<Part> = Some(Part::Database);
    type Dependencies = (Arc<dyn DatabaseAdmin>, Arc<Migrator>);

    async fn run(self, (database, migrator): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        let is_missing = database.is_missing();
        let status = migrator.status().await?;
        console.rows(&[("Migration", "name"), ("State", "state"), ("Batch", "batch")], &status)?;
        if is_missing {
            console.warn(format!("There is no database yet at {}: `artisan migrate` makes it.", database.url()));
        }
        Ok(())
    }
}

crate::command!(MigrateStatus);

/// `migrate:fresh`
#[derive(clap::Args)]
struct MigrateFresh {
    /// Do not ask in production
    #[arg(long)]
    force: bool,
    /// Run the seeders afterwards
    #[arg(long)]
    seed: bool,
}

impl Command for MigrateFresh {
    const NAME: &'static str = "migrate:fresh";
    const ABOUT: &'static str = "Drop every table and apply all migrations";
    const PART: Option<Part> = Some(Part::Database);
    type Dependencies =
        (Arc<AppConfig>, Arc<dyn DatabaseAdmin>, Arc<Migrator>, Arc<Seeders>, Vec<Arc<dyn DerivedData>>);

    async fn run(
        self,
        (app, database, migrator, seeders, derived): Self::Dependencies,
        console: &mut Console,
    ) -> anyhow::Result<()> {
        console.guard("Drop every table, with all data", app.is_production(), self.force)?;
        let applied = migrator.fresh().await;
        // Before the seeders, which look at what is there; and where a migration failed, the rows are gone, too.
        forget_derived(&*database, &derived, console).await;
        report(console, "Migration", &changed("applied", applied?))?;
        if self.seed {
            seed(&seeders, &[], console).await?;
        }
        Ok(())
    }
}

crate::command!(MigrateFresh);
