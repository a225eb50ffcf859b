//! The console's `migrate` and `db` commands.

mod db;
mod migrate;
mod rollback;

use serde::Serialize;

use super::Seeders;
use crate::{console::Console, container};

#[derive(Serialize)]
struct Changed {
    name: String,
    change: &'static str,
}

/// The same change of several things.
fn changed(change: &'static str, names: impl IntoIterator<Item = impl Into<String>>) -> Vec<Changed> {
    names.into_iter().map(|name| Changed { name: name.into(), change }).collect()
}

fn report(console: &mut Console, what: &str, changed: &[Changed]) -> anyhow::Result<()> {
    if changed.is_empty() && !console.is_json() {
        console.line("Nothing to do.");
        return Ok(());
    }
    Ok(console.rows(&[(what, "name"), ("Change", "change")], changed)?)
}

async fn seed(seeders: &Seeders, only: &[&str], console: &mut Console) -> anyhow::Result<usize> {
    let container = container::current()?;
    let count = seeders.run(only, &container, console).await.map_err(anyhow::Error::from_boxed)?;
    console.success(format!("{count} seeder(s) have run."));
    Ok(count)
}
