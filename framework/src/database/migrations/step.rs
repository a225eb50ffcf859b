use crate::database::{Connection, DbError, Statement};

/// The table in which the migrations that are applied stand.
pub(super) const TABLE: &str = "migrations";

/// The checksum of a migration that is being applied or taken back. Where a change of the schema belongs to the
/// transaction nobody else ever sees it; where it does not, it is what a run that was broken off leaves.
pub(super) const UNFINISHED: &str = "unfinished";

const CREATE_TABLE: &str = "create table if not exists migrations (
    name varchar(255) not null primary key,
    batch integer not null,
    checksum varchar(64) not null,
    applied_at varchar(32) not null
)";

/// One change that the migrator makes, in one transaction and while no other migrator makes one.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum MigrationStep {
    /// Makes the table in which applied migrations stand.
    Prepare,
    /// Looks whether a migration is still unfinished when nobody works on it.
    Check {
        /// Its name.
        name: String,
    },
    /// Applies a migration that is not applied.
    Up {
        /// Its name.
        name: &'static str,
        /// What to run.
        script: &'static str,
        /// The batch it belongs to, or that of a later migrator if one has begun since; `None` for one of its own.
        batch: Option<i64>,
        /// The checksum of the script.
        checksum: String,
        /// When this is.
        applied_at: String,
    },
    /// Takes back a migration that is applied.
    Down {
        /// Its name.
        name: &'static str,
        /// What to run.
        script: &'static str,
    },
}

/// Takes a step under the migrators' lock. Returns whether there was anything left to do: another migrator may have
/// done it while this one waited.
pub(in crate::database) async fn take<C: Connection>(c: &mut C, step: &MigrationStep) -> Result<bool, DbError> {
    c.lock_migrations().await?;
    let done = run(c, step).await;
    let unlocked = c.unlock_migrations(done.is_ok()).await;
    // Of two failures the first is the cause.
    let done = done?;
    unlocked?;
    Ok(done)
}

async fn run<C: Connection>(c: &mut C, step: &MigrationStep) -> Result<bool, DbError> {
    match step {
        MigrationStep::Prepare => c.batch_execute(CREATE_TABLE).await?,
        MigrationStep::Check { name } => return Ok(recorded(c, name).await?.is_some_and(|found| found == UNFINISHED)),
        MigrationStep::Up { name, script, batch, checksum, applied_at } => {
            if recorded(c, name).await?.is_some() {
                return Ok(false);
            }
            let last = c.fetch(&Statement::new("select max(batch) as batch from migrations")).await?;
            let last = last.first().map_or(0, |row| row.integer("batch"));
            let insert =
                Statement::new("insert into migrations (name, batch, checksum, applied_at) values (?, ?, ?, ?)")
                    .bind(*name)
                    .bind(batch.map_or(last + 1, |batch| batch.max(last)))
                    .bind(UNFINISHED)
                    .bind(applied_at.as_str());
            c.run(&insert).await?;
            c.batch_execute(script).await?;
            let finish = Statement::new("update migrations set checksum = ? where name = ?");
            c.run(&finish.bind(checksum.as_str()).bind(*name)).await?;
        }
        MigrationStep::Down { name, script } => {
            if recorded(c, name).await?.is_none() {
                return Ok(false);
            }
            let begin = Statement::new("update migrations set checksum = ? where name = ?");
            c.run(&begin.bind(UNFINISHED).bind(*name)).await?;
            c.batch_execute(script).await?;
            c.run(&Statement::new("delete from migrations where name = ?").bind(*name)).await?;
        }
    }
    Ok(true)
}

async fn recorded<C: Connection>(c: &mut C, name: &str) -> Result<Option<String>, DbError> {
    let query = Statement::new("select checksum from migrations where name = ?").bind(name);
    Ok(c.fetch(&query).await?.first().map(|row| row.text("checksum").to_owned()))
}
