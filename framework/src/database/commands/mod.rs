//! The console's `migrate` and `db` commands.

mod db;
mod migrate;
mod rollback;

use std::sync::Arc;

use serde::Serialize;

use super::{DatabaseAdmin, DerivedData, Seeders};
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

/// Has all that was made of rows which are gone forgotten, and says so. Where that fails it is a warning: the rows are gone all the
/// same.
async fn forget_derived(database: &dyn DatabaseAdmin, derived: &[Arc<dyn DerivedData>], console: &mut Console) {
    // A database that fails now has said so before.
    let tables = database.tables().await.unwrap_or_default();
    for derived in derived {
        for forgotten in derived.forget(&tables).await {
            let what = forgotten.what;
            match forgotten.done {
                Ok(()) => console.success(format!("Cleared {what}, which was made of what is gone.")),
                Err(error) => console.warn(format!("What is gone is still in {what}: {error}")),
            }
        }
    }
}
