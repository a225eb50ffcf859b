use std::{collections::BTreeMap, sync::Arc};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{DatabaseAdmin, DbError, Statement};
use crate::support::Clock;

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

/// The schema could not be changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// The database could not do it.
    #[error(transparent)]
    Database(#[from] DbError),
    /// A migration's script failed; nothing of it was kept, and those before it are applied.
    #[error("the migration `{name}` failed, and nothing of it was kept: {source}")]
    Failed {
        /// The migration.
        name: String,
        /// What the database said.
        source: DbError,
    },
    /// A migration was edited after it had been applied.
    #[error("the migration `{name}` was edited after it had been applied: undo the edit and write a new migration")]
    Edited {
        /// The migration.
        name: String,
    },
    /// A migration that was applied is not in this build.
    #[error("the migration `{name}` was applied, but is not in this build: it cannot be rolled back")]
    Unknown {
        /// The migration.
        name: String,
    },
}

/// Where a migration stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct MigrationStatus {
    /// Its name.
    pub name: String,
    /// `applied`, `pending`, `edited` or `unknown`.
    pub state: &'static str,
    /// The batch it was applied in.
    pub batch: Option<i64>,
}

/// Applies the migrations to the database and takes them back.
#[derive(Clone)]
pub struct Migrator {
    database: Arc<dyn DatabaseAdmin>,
    clock: Arc<dyn Clock>,
    migrations: &'static [Migration],
}

struct Applied {
    batch: i64,
    checksum: String,
}

const CREATE_TABLE: &str = "create table if not exists migrations (
    name varchar(255) not null primary key,
    batch integer not null,
    checksum varchar(64) not null,
    applied_at varchar(32) not null
)";

impl Migrator {
    /// A migrator of these migrations.
    pub fn new(database: Arc<dyn DatabaseAdmin>, clock: Arc<dyn Clock>, migrations: &'static [Migration]) -> Self {
        Self { database, clock, migrations }
    }

    /// Applies all that are pending, each in a transaction of its own, and names them.
    ///
    /// # Errors
    /// [`MigrationError::Edited`] before anything is applied; [`MigrationError::Failed`] with those before it applied.
    pub async fn migrate(&self) -> Result<Vec<&'static str>, MigrationError> {
        let applied = self.applied().await?;
        self.refuse_edited(&applied)?;
        let batch = applied.values().map(|applied| applied.batch).max().unwrap_or(0) + 1;
        let mut done = Vec::new();
        for migration in self.migrations.iter().filter(|migration| !applied.contains_key(migration.name)) {
            let name = migration.name;
            // The row first: its primary key stops a migrator that comes second before it touches the schema.
            let insert =
                Statement::new("insert into migrations (name, batch, checksum, applied_at) values (?, ?, ?, ?)")
                    .bind(name)
                    .bind(batch)
                    .bind(migration.checksum(self.database.backend()))
                    .bind(self.clock.now().to_string());
            let script = migration.up(self.database.backend()).to_owned();
            let failed = |source| MigrationError::Failed { name: name.to_owned(), source };
            match self.database.apply(Some(insert), script).await {
                Ok(()) => done.push(name),
                Err(error) if error.is_unique_violation() && self.applied().await?.contains_key(name) => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Ok(done)
    }

    /// Takes back the last `batches` batches, latest first, and names what was taken back.
    ///
    /// # Errors
    /// [`MigrationError::Unknown`] before anything is taken back; [`MigrationError::Failed`] with those before it
    /// taken back.
    pub async fn rollback(&self, batches: u32) -> Result<Vec<String>, MigrationError> {
        let applied = self.applied().await?;
        let mut numbers: Vec<_> = applied.values().map(|applied| applied.batch).collect();
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        numbers.dedup();
        numbers.truncate(batches as usize);
        let mut chosen: Vec<_> = applied.iter().filter(|(_, applied)| numbers.contains(&applied.batch)).collect();
        chosen.sort_by(|a, b| (b.1.batch, b.0).cmp(&(a.1.batch, a.0)));
        let steps: Result<Vec<_>, _> = chosen
            .into_iter()
            .map(|(name, _)| {
                let known = self.migrations.iter().find(|migration| migration.name == name);
                known.ok_or_else(|| MigrationError::Unknown { name: name.clone() })
            })
            .collect();
        let mut done = Vec::new();
        for migration in steps? {
            let name = migration.name.to_owned();
            let delete = Statement::new("delete from migrations where name = ?").bind(migration.name);
            let script = migration.down(self.database.backend()).to_owned();
            let failed = |source| MigrationError::Failed { name: name.clone(), source };
            self.database.apply(Some(delete), script).await.map_err(failed)?;
            done.push(name);
        }
        Ok(done)
    }

    /// Drops every table and applies all migrations.
    ///
    /// # Errors
    /// As [`migrate`](Self::migrate).
    pub async fn fresh(&self) -> Result<Vec<&'static str>, MigrationError> {
        self.database.wipe().await?;
        self.migrate().await
    }

    /// Every migration, in order, and where it stands.
    ///
    /// # Errors
    /// [`MigrationError::Database`].
    pub async fn status(&self) -> Result<Vec<MigrationStatus>, MigrationError> {
        let applied = self.applied().await?;
        let backend = self.database.backend();
        let known = self.migrations.iter().map(|migration| {
            let applied = applied.get(migration.name);
            let state = match applied {
                None => "pending",
                Some(applied) if applied.checksum != migration.checksum(backend) => "edited",
                Some(_) => "applied",
            };
            MigrationStatus { name: migration.name.to_owned(), state, batch: applied.map(|applied| applied.batch) }
        });
        let unknown = applied.iter().filter(|(name, _)| self.migrations.iter().all(|known| known.name != *name));
        let unknown = unknown.map(|(name, applied)| MigrationStatus {
            name: name.clone(),
            state: "unknown",
            batch: Some(applied.batch),
        });
        Ok(known.chain(unknown).collect())
    }

    fn refuse_edited(&self, applied: &BTreeMap<String, Applied>) -> Result<(), MigrationError> {
        let backend = self.database.backend();
        let edited = self.migrations.iter().find(|migration| {
            applied.get(migration.name).is_some_and(|applied| applied.checksum != migration.checksum(backend))
        });
        match edited {
            Some(migration) => Err(MigrationError::Edited { name: migration.name.to_owned() }),
            None => Ok(()),
        }
    }

    async fn applied(&self) -> Result<BTreeMap<String, Applied>, DbError> {
        let query = Statement::new("select name, batch, checksum from migrations");
        let rows = match self.database.fetch(query.clone()).await {
            Ok(rows) => rows,
            // The first time there is no table yet.
            Err(DbError::Query(_)) => {
                self.database.apply(None, CREATE_TABLE.to_owned()).await?;
                self.database.fetch(query).await?
            }
            Err(error) => return Err(error),
        };
        let applied = rows.into_iter().map(|row| {
            let applied = Applied { batch: row.integer("batch"), checksum: row.text("checksum").to_owned() };
            (row.text("name").to_owned(), applied)
        });
        Ok(applied.collect())
    }
}
