use paravel::database::DbError;

/// Why a change was not made. Its transaction is undone, and all is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Undone {
    /// What it is about does not exist.
    #[error("what was to be changed does not exist")]
    NotFound,
    /// A name in it does not exist.
    #[error("one of the names does not exist")]
    UnknownName,
    /// Nobody would be left who can manage users and roles.
    #[error("nobody would be left who can manage both users and roles")]
    LastManager,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl From<diesel::result::Error> for Undone {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}
