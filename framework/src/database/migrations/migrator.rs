use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Migration, MigrationError, MigrationStatus, MigrationStep, PendingMigration, TOOLKIT_MIGRATIONS,
    step::{TABLE, UNFINISHED},
};
use crate::{
    database::{DatabaseAdmin, DbError, Statement},
    support::Clock,
};

/// How long to wait for another migrator's script, on a backend that refuses who has waited for some seconds.
const PATIENCE: Duration = Duration::from_secs(600);

/// How long to leave the database to others before the next try.
const PAUSE: Duration = Duration::from_millis(20);

/// Applies the migrations to the database and takes them back.
///
/// Several may run at once, in one process or in many: each step is taken by one of them, and all of them end well.
#[derive(Clone)]
pub struct Migrator {
    database: Arc<dyn DatabaseAdmin>,
    clock: Arc<dyn Clock>,
    migrations: Arc<[Migration]>,
}

struct Applied {
    batch: i64,
    checksum: String,
}

impl Migrator {
    /// A migrator of these migrations.
    pub fn new(database: Arc<dyn DatabaseAdmin>, clock: Arc<dyn Clock>, migrations: &[Migration]) -> Self {
        Self { database, clock, migrations: migrations.into() }
    }

    /// A migrator of the toolkit's own tables, and then of these migrations.
    pub(crate) fn of_application(
        database: Arc<dyn DatabaseAdmin>,
        clock: Arc<dyn Clock>,
        migrations: &[Migration],
    ) -> Self {
        let all: Vec<_> = TOOLKIT_MIGRATIONS.iter().chain(migrations).copied().collect();
        Self::new(database, clock, &all)
    }

    /// Applies all that are pending, each in a transaction of its own, and names them.
    ///
    /// # Errors
    /// [`MigrationError::Edited`] or [`MigrationError::Unfinished`] before anything is applied;
    /// [`MigrationError::Failed`] or [`MigrationError::HalfWay`] with those before it applied.
    pub async fn migrate(&self) -> Result<Vec<&'static str>, MigrationError> {
        let applied = self.applicable().await?;
        let batch = applied.values().map(|applied| applied.batch).max().unwrap_or(0) + 1;
        self.apply(&applied, Some(batch)).await
    }

    /// [`migrate`](Self::migrate) with a batch for each migration, so that each can be taken back by itself.
    ///
    /// # Errors
    /// As [`migrate`](Self::migrate).
    pub async fn migrate_stepwise(&self) -> Result<Vec<&'static str>, MigrationError> {
        let applied = self.applicable().await?;
        self.apply(&applied, None).await
    }

    /// What [`migrate`](Self::migrate) would run. Nothing is changed.
    ///
    /// # Errors
    /// Those that [`migrate`](Self::migrate) has before anything is applied.
    pub async fn pretend(&self) -> Result<Vec<PendingMigration>, MigrationError> {
        let applied = self.applicable().await?;
        let backend = self.database.backend();
        let pending = self.pending(&applied);
        Ok(pending.map(|migration| PendingMigration { name: migration.name, sql: migration.up(backend) }).collect())
    }

    /// Takes back the last `batches` batches, latest first, and names what was taken back.
    ///
    /// # Errors
    /// [`MigrationError::Unknown`] or [`MigrationError::Unfinished`] before anything is taken back;
    /// [`MigrationError::NotTakenBack`] or [`MigrationError::HalfWay`] with those after it taken back.
    pub async fn rollback(&self, batches: u32) -> Result<Vec<String>, MigrationError> {
        let applied = self.finished().await?;
        let mut numbers: Vec<_> = applied.values().map(|applied| applied.batch).collect();
        numbers.sort_unstable_by(|a, b| b.cmp(a));
        numbers.dedup();
        numbers.truncate(batches as usize);
        self.take_back(latest_first(&applied).filter(|(_, applied)| numbers.contains(&applied.batch))).await
    }

    /// Takes back the last `migrations` migrations, latest first, and names them.
    ///
    /// # Errors
    /// As [`rollback`](Self::rollback).
    pub async fn rollback_steps(&self, migrations: u32) -> Result<Vec<String>, MigrationError> {
        let applied = self.finished().await?;
        self.take_back(latest_first(&applied).take(migrations as usize)).await
    }

    /// Takes back all migrations, latest first, and names them.
    ///
    /// # Errors
    /// As [`rollback`](Self::rollback).
    pub async fn reset(&self) -> Result<Vec<String>, MigrationError> {
        let applied = self.finished().await?;
        self.take_back(latest_first(&applied)).await
    }

    /// Drops every table and applies all migrations.
    ///
    /// # Errors
    /// As [`migrate`](Self::migrate).
    pub async fn fresh(&self) -> Result<Vec<&'static str>, MigrationError> {
        self.database.wipe().await?;
        self.migrate().await
    }

    /// Every migration, in order, and where it stands. Nothing is changed.
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
                Some(applied) if applied.checksum == UNFINISHED => "unfinished",
                Some(applied) if applied.checksum != migration.checksum(backend) => "edited",
                Some(_) => "applied",
            };
            MigrationStatus { name: migration.name.to_owned(), state, batch: applied.map(|applied| applied.batch) }
        });
        let unknown = applied.iter().filter(|(name, _)| self.find(name).is_none());
        let unknown = unknown.map(|(name, applied)| MigrationStatus {
            name: name.clone(),
            state: "unknown",
            batch: Some(applied.batch),
        });
        Ok(known.chain(unknown).collect())
    }

    fn find(&self, name: &str) -> Option<&Migration> {
        self.migrations.iter().find(|migration| migration.name == name)
    }

    fn pending<'a>(&'a self, applied: &'a BTreeMap<String, Applied>) -> impl Iterator<Item = &'a Migration> + use<'a> {
        self.migrations.iter().filter(|migration| !applied.contains_key(migration.name))
    }

    async fn apply(
        &self,
        applied: &BTreeMap<String, Applied>,
        batch: Option<i64>,
    ) -> Result<Vec<&'static str>, MigrationError> {
        let backend = self.database.backend();
        let mut done = Vec::new();
        for migration in self.pending(applied) {
            if done.is_empty() {
                self.take(MigrationStep::Prepare).await?;
            }
            let step = MigrationStep::Up {
                name: migration.name,
                script: migration.up(backend),
                batch,
                checksum: migration.checksum(backend),
                applied_at: self.clock.now().to_string(),
            };
            match self.take(step).await {
                Ok(true) => done.push(migration.name),
                Ok(false) => {}
                Err(source) => return Err(self.failed(migration.name, source, false).await),
            }
        }
        Ok(done)
    }

    async fn take_back(
        &self,
        chosen: impl Iterator<Item = (&String, &Applied)> + Send,
    ) -> Result<Vec<String>, MigrationError> {
        let mut migrations = Vec::new();
        for (name, _) in chosen {
            migrations.push(self.find(name).ok_or_else(|| MigrationError::Unknown { name: name.clone() })?);
        }
        let mut done = Vec::new();
        for migration in migrations {
            let script = migration.down(self.database.backend());
            match self.take(MigrationStep::Down { name: migration.name, script }).await {
                Ok(true) => done.push(migration.name.to_owned()),
                Ok(false) => {}
                Err(source) => return Err(self.failed(migration.name, source, true).await),
            }
        }
        Ok(done)
    }

    /// Takes a step, and again where only another migrator was in the way.
    async fn take(&self, step: MigrationStep) -> Result<bool, DbError> {
        let started = Instant::now();
        loop {
            match self.database.step(step.clone()).await {
                Err(error) if error.is_conflict() && started.elapsed() < PATIENCE => tokio::time::sleep(PAUSE).await,
                other => return other,
            }
        }
    }

    /// What to say of a script that failed: whether anything of it was kept, the database knows.
    async fn failed(&self, name: &str, source: DbError, down: bool) -> MigrationError {
        let name = name.to_owned();
        let left = self
            .applied()
            .await
            .is_ok_and(|applied| applied.get(&name).is_some_and(|applied| applied.checksum == UNFINISHED));
        match (left, down) {
            (true, _) => MigrationError::HalfWay { name, source },
            (false, false) => MigrationError::Failed { name, source },
            (false, true) => MigrationError::NotTakenBack { name, source },
        }
    }

    /// What is applied, where all of it is in order, so that more may be.
    async fn applicable(&self) -> Result<BTreeMap<String, Applied>, MigrationError> {
        let applied = self.finished().await?;
        let backend = self.database.backend();
        let edited = |(name, applied): &(&String, &Applied)| {
            self.find(name).is_some_and(|known| known.checksum(backend) != applied.checksum)
        };
        match applied.iter().find(edited) {
            Some((name, _)) => Err(MigrationError::Edited { name: name.clone() }),
            None => Ok(applied),
        }
    }

    /// What is applied, where no run was broken off half-way.
    async fn finished(&self) -> Result<BTreeMap<String, Applied>, MigrationError> {
        loop {
            let applied = self.applied().await?;
            let Some((name, _)) = applied.iter().find(|(_, applied)| applied.checksum == UNFINISHED) else {
                return Ok(applied);
            };
            // Some databases show what another migrator is in the middle of; under the lock it is at an end.
            if self.take(MigrationStep::Check { name: name.clone() }).await? {
                return Err(MigrationError::Unfinished { name: name.clone() });
            }
        }
    }

    async fn applied(&self) -> Result<BTreeMap<String, Applied>, DbError> {
        // To look must not make it.
        if self.database.is_missing() {
            return Ok(BTreeMap::new());
        }
        // The first time there is no table yet.
        if !self.database.tables().await?.iter().any(|table| table == TABLE) {
            return Ok(BTreeMap::new());
        }
        let rows = self.database.fetch(Statement::new("select name, batch, checksum from migrations")).await?;
        let applied = rows.into_iter().map(|row| {
            let applied = Applied { batch: row.integer("batch"), checksum: row.text("checksum").to_owned() };
            (row.text("name").to_owned(), applied)
        });
        Ok(applied.collect())
    }
}

fn latest_first(applied: &BTreeMap<String, Applied>) -> impl Iterator<Item = (&String, &Applied)> + Send {
    let mut all: Vec<_> = applied.iter().collect();
    all.sort_by(|a, b| (b.1.batch, b.0).cmp(&(a.1.batch, a.0)));
    all.into_iter()
}
