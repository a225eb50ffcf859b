//! Migrations: the schema's steps, embedded in the binary, and what applies them and takes them back.

mod error;
mod migrator;
mod step;

use serde::Serialize;
use sha2::{Digest, Sha256};

pub use error::MigrationError;
pub use migrator::Migrator;
pub use step::MigrationStep;
pub(super) use step::take;

/// The toolkit's own tables, which every application with a database has: of the cache for one. Their names sort before
/// those of any application's migrations, and [`Db`](super::Db) gives them the application's connection, so that what
/// is written in them joins its transactions.
pub const TOOLKIT_MIGRATIONS: &[Migration] = crate::migrations!("database/migrations");

/// The migrations of an application whose names are the toolkit's to have.
pub(crate) fn misnamed(migrations: &'static [Migration]) -> impl Iterator<Item = &'static str> {
    migrations.iter().map(Migration::name).filter(|name| name.starts_with("0001_01_01_"))
}

/// One step of the schema, embedded by [`migrations!`](crate::migrations).
#[derive(Debug, Clone, Copy)]
pub struct Migration {
    name: &'static str,
    up: &'static str,
    down: &'static str,
    up_variants: &'static [(&'static str, &'static str)],
    down_variants: &'static [(&'static str, &'static str)],
}

impl Migration {
    /// A migration by its name, which orders it, its scripts, and what replaces them on a backend.
    pub const fn new(
        name: &'static str,
        up: &'static str,
        down: &'static str,
        up_variants: &'static [(&'static str, &'static str)],
        down_variants: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self { name, up, down, up_variants, down_variants }
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    fn up(&self, backend: &str) -> &'static str {
        variant(self.up_variants, backend).unwrap_or(self.up)
    }

    fn down(&self, backend: &str) -> &'static str {
        variant(self.down_variants, backend).unwrap_or(self.down)
    }

    /// SHA-256 of the script that is applied, line ends made equal: a checkout on Windows is no edit.
    fn checksum(&self, backend: &str) -> String {
        let digest = Sha256::digest(self.up(backend).replace("\r\n", "\n"));
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn variant(variants: &[(&'static str, &'static str)], backend: &str) -> Option<&'static str> {
    variants.iter().find(|(name, _)| *name == backend).map(|(_, sql)| *sql)
}

/// Where a migration stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MigrationStatus {
    /// Its name.
    pub name: String,
    /// `applied`; `pending`; `edited`, after it was applied; `unfinished`, where a run was broken off on a database that
    /// cannot take it back; `unknown`, where it is not in this build.
    pub state: &'static str,
    /// The batch it was applied in.
    pub batch: Option<i64>,
}

/// What a pending migration would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PendingMigration {
    /// Its name.
    pub name: &'static str,
    /// The script that would run on this backend.
    pub sql: &'static str,
}
