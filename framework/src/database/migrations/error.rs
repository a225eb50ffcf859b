use crate::database::DbError;

/// The schema could not be changed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationError {
    /// The database could not do it.
    #[error(transparent)]
    Database(#[from] DbError),
    /// A migration's script failed; nothing of it was kept, and those before it are applied.
    #[error(
        "the migration `{name}` failed, and nothing of it was kept: {source}; those before it are applied: correct it \
         and run `migrate` again"
    )]
    Failed {
        /// The migration.
        name: String,
        /// What the database said.
        source: DbError,
    },
    /// A migration could not be taken back; it is still applied, and those after it are taken back.
    #[error(
        "the migration `{name}` could not be taken back, and is still applied as a whole: {source}; those after it are \
         taken back: correct its down.sql and roll back again"
    )]
    NotTakenBack {
        /// The migration.
        name: String,
        /// What the database said.
        source: DbError,
    },
    /// A script failed half-way on a database that commits each change of the schema by itself.
    #[error(
        "the migration `{name}` failed half-way, and this database keeps the half that was done: {source}; take back \
         by hand what it did, delete its row from the table `migrations`, and run `migrate` again"
    )]
    HalfWay {
        /// The migration.
        name: String,
        /// What the database said.
        source: DbError,
    },
    /// An earlier run was broken off in the middle of a migration.
    #[error(
        "the migration `{name}` was left half-way by an earlier run: take back by hand what it did, delete its row \
         from the table `migrations`, and run `migrate` again"
    )]
    Unfinished {
        /// The migration.
        name: String,
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
