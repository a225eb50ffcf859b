use std::sync::Arc;

use anyhow::{bail, ensure};
use serde::Serialize;

use super::{changed, forget_derived, report, seed};
use crate::{
    config::AppConfig,
    console::{Command, Console, Part, Stage},
    database::{DatabaseAdmin, DerivedData, Seed, Seeders},
    support::{did_you_mean, nearest},
};

/// `db:seed`
#[derive(clap::Args)]
struct DbSeed {
    /// Run this seeder alone; may be given more than once
    #[arg(long, value_name = "NAME")]
    class: Vec<String>,
    /// List the seeders, and run none
    #[arg(long)]
    list: bool,
    /// The number that made-up rows come from
    #[arg(long, value_name = "NUMBER", default_value_t = Seed::DEFAULT)]
    seed: u64,
    /// Do not ask in production
    #[arg(long)]
    force: bool,
}

#[derive(Serialize)]
struct Seeded {
    seeders: usize,
}

impl Command for DbSeed {
    const NAME: &'static str = "db:seed";
    const ABOUT: &'static str = "Run the seeders";
    const PART: Option<Part> = Some(Part::Database);
    type Dependencies = (Arc<AppConfig>, Arc<Seed>, Arc<Seeders>);

    async fn run(self, (app, number, seeders): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        if self.list {
            return Ok(console.rows(&[("Seeder", "name"), ("Only by name", "optional")], &seeders.list())?);
        }
        console.guard("Seed the database", app.is_production(), self.force)?;
        number.restart(self.seed);
        let only: Vec<_> = self.class.iter().map(String::as_str).collect();
        let seeded = Seeded { seeders: seed(&seeders, &only, console).await? };
        if console.is_json() {
            console.value(&seeded)?;
        }
        Ok(())
    }
}

crate::command!(DbSeed);

/// Opens what is there: who only looks makes no database, so these commands do not boot, either.
async fn open(database: &dyn DatabaseAdmin) -> anyhow::Result<()> {
    ensure!(!database.is_missing(), "there is no database yet at {}: `artisan migrate` makes it", database.url());
    Ok(database.connect().await?)
}

/// `db:show`
#[derive(clap::Args)]
struct DbShow {}

impl Command for DbShow {
    const NAME: &'static str = "db:show";
    const ABOUT: &'static str = "Show the database, its settings and its tables";
    const STAGE: Stage = Stage::Verified;
    const PART: Option<Part> = Some(Part::Database);
    type Dependencies = (Arc<dyn DatabaseAdmin>,);

    async fn run(self, (database,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        open(&*database).await?;
        let info = database.info().await?;
        Ok(console.value(&info)?)
    }
}

crate::command!(DbShow);

/// `db:table`
#[derive(clap::Args)]
struct DbTable {
    /// The table
    name: String,
}

impl Command for DbTable {
    const NAME: &'static str = "db:table";
    const ABOUT: &'static str = "Show a table's columns, indexes and foreign keys";
    const STAGE: Stage = Stage::Verified;
    const PART: Option<Part> = Some(Part::Database);
    type Dependencies = (Arc<dyn DatabaseAdmin>,);

    async fn run(self, (database,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        open(&*database).await?;
        let tables = database.tables().await?;
        if !tables.contains(&self.name) {
            let near = nearest(&self.name, tables.iter().map(String::as_str));
            bail!("no table is called `{}`{}", self.name, did_you_mean(near));
        }
        let table = database.table(&self.name).await?;
        if console.is_json() {
            return Ok(console.value(&table)?);
        }
        console.line(format!("{}, {} row(s)\n", table.name, table.rows));
        let columns = [("Column", "name"), ("Type", "type"), ("Nullable", "nullable"), ("Default", "default")];
        console.rows(&[&columns[..], &[("Primary", "primary")]].concat(), &table.columns)?;
        if !table.indexes.is_empty() {
            console.line("");
            console.rows(&[("Index", "name"), ("Columns", "columns"), ("Unique", "unique")], &table.indexes)?;
        }
        if !table.foreign_keys.is_empty() {
            console.line("");
            let columns = [("Key", "columns"), ("Table", "table"), ("Points at", "references")];
            console.rows(&[&columns[..], &[("On delete", "on_delete")]].concat(), &table.foreign_keys)?;
        }
        Ok(())
    }
}

crate::command!(DbTable);

/// `db:wipe`
#[derive(clap::Args)]
struct DbWipe {
    /// Do not ask in production
    #[arg(long)]
    force: bool,
}

impl Command for DbWipe {
    const NAME: &'static str = "db:wipe";
    const ABOUT: &'static str = "Drop every table and view";
    const PART: Option<Part> = Some(Part::Database);
    type Dependencies = (Arc<AppConfig>, Arc<dyn DatabaseAdmin>, Vec<Arc<dyn DerivedData>>);

    async fn run(self, (app, database, derived): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        console.guard("Drop every table, with all data", app.is_production(), self.force)?;
        let tables = database.tables().await?;
        database.wipe().await?;
        forget_derived(&*database, &derived, console).await;
        report(console, "Table", &changed("dropped", tables))
    }
}

crate::command!(DbWipe);

/// `db:monitor`
#[derive(clap::Args)]
struct DbMonitor {}

impl Command for DbMonitor {
    const NAME: &'static str = "db:monitor";
    const ABOUT: &'static str = "Show the database's connections and what waits for them";
    const STAGE: Stage = Stage::Verified;
    const PART: Option<Part> = Some(Part::Database);
    type Dependencies = (Arc<dyn DatabaseAdmin>,);

    async fn run(self, (database,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        open(&*database).await?;
        let load = database.load();
        Ok(console.value(&load)?)
    }
}

crate::command!(DbMonitor);
