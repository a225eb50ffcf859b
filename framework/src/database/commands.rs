//! The console's `migrate` and `db` commands.

use std::sync::Arc;

use anyhow::bail;
use serde::Serialize;

use super::{DatabaseAdmin, Migrator, Seeders};
use crate::{
    config::AppConfig,
    console::{Command, Console},
    container,
};

#[derive(Serialize)]
struct Changed {
    name: String,
    change: &'static str,
}

fn report(console: &mut Console, change: &'static str, names: impl IntoIterator<Item = String>) -> anyhow::Result<()> {
    let changed: Vec<_> = names.into_iter().map(|name| Changed { name, change }).collect();
    if changed.is_empty() && !console.is_json() {
        console.line("Nothing to do.");
        return Ok(());
    }
    Ok(console.rows(&[("Migration", "name"), ("Change", "change")], &changed)?)
}

async fn seed(seeders: &Seeders, only: Option<&str>, console: &mut Console) -> anyhow::Result<()> {
    let container = container::current()?;
    if let Some(only) = only
        && !seeders.names().contains(&only)
    {
        bail!("no seeder is called `{only}`; there are: {}", seeders.names().join(", "));
    }
    let count = seeders.run(only, &container, console).await.map_err(anyhow::Error::from_boxed)?;
    console.success(format!("{count} seeder(s) have run."));
    Ok(())
}

/// `migrate`
#[derive(clap::Args)]
struct Migrate {
    /// Do not ask in production
    #[arg(long)]
    force: bool,
    /// Run the seeders afterwards
    #[arg(long)]
    seed: bool,
}

impl Command for Migrate {
    const NAME: &'static str = "migrate";
    const ABOUT: &'static str = "Apply the pending migrations";
    type Dependencies = (Arc<AppConfig>, Arc<Migrator>, Arc<Seeders>);

    async fn run(self, (app, migrator, seeders): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        console.guard("Migrate the database", app.is_production(), self.force)?;
        let applied = migrator.migrate().await?;
        report(console, "applied", applied.into_iter().map(str::to_owned))?;
        if self.seed {
            seed(&seeders, None, console).await?;
        }
        Ok(())
    }
}

crate::command!(Migrate);

/// `migrate:status`
#[derive(clap::Args)]
struct MigrateStatus {}

impl Command for MigrateStatus {
    const NAME: &'static str = "migrate:status";
    const ABOUT: &'static str = "List the migrations and where each stands";
    type Dependencies = (Arc<Migrator>,);

    async fn run(self, (migrator,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        let status = migrator.status().await?;
        Ok(console.rows(&[("Migration", "name"), ("State", "state"), ("Batch", "batch")], &status)?)
    }
}

crate::command!(MigrateStatus);

/// `migrate:rollback`
#[derive(clap::Args)]
struct MigrateRollback {
    /// How many batches to take back
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    batches: u32,
    /// Do not ask in production
    #[arg(long)]
    force: bool,
}

impl Command for MigrateRollback {
    const NAME: &'static str = "migrate:rollback";
    const ABOUT: &'static str = "Take back the last batch of migrations";
    type Dependencies = (Arc<AppConfig>, Arc<Migrator>);

    async fn run(self, (app, migrator): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        console.guard("Take back migrations, with the data they hold", app.is_production(), self.force)?;
        report(console, "rolled back", migrator.rollback(self.batches).await?)
    }
}

crate::command!(MigrateRollback);

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
    type Dependencies = (Arc<AppConfig>, Arc<Migrator>, Arc<Seeders>);

    async fn run(self, (app, migrator, seeders): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        console.guard("Drop every table, with all data", app.is_production(), self.force)?;
        report(console, "applied", migrator.fresh().await?.into_iter().map(str::to_owned))?;
        if self.seed {
            seed(&seeders, None, console).await?;
        }
        Ok(())
    }
}

crate::command!(MigrateFresh);

/// `db:seed`
#[derive(clap::Args)]
struct DbSeed {
    /// Run this seeder alone
    #[arg(long, value_name = "NAME")]
    class: Option<String>,
    /// Do not ask in production
    #[arg(long)]
    force: bool,
}

impl Command for DbSeed {
    const NAME: &'static str = "db:seed";
    const ABOUT: &'static str = "Run the seeders";
    type Dependencies = (Arc<AppConfig>, Arc<Seeders>);

    async fn run(self, (app, seeders): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        console.guard("Seed the database", app.is_production(), self.force)?;
        seed(&seeders, self.class.as_deref(), console).await
    }
}

crate::command!(DbSeed);

/// `db:show`
#[derive(clap::Args)]
struct DbShow {}

impl Command for DbShow {
    const NAME: &'static str = "db:show";
    const ABOUT: &'static str = "Show the database, its settings and its tables";
    type Dependencies = (Arc<dyn DatabaseAdmin>,);

    async fn run(self, (database,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        let info = database.info().await?;
        Ok(console.value(&info)?)
    }
}

crate::command!(DbShow);
