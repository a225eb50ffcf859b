/// What a transaction may see of those that run beside it.
///
/// Without one a transaction has the server's own: read committed on PostgreSQL, repeatable read on MySQL and MariaDB.
/// On SQLite, where one transaction writes at a time, every one is serializable, whatever it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Isolation {
    /// Each statement sees what was committed before it began.
    ReadCommitted,
    /// All statements see what was committed before the first of them. PostgreSQL refuses to change a row that has been
    /// changed since.
    RepeatableRead,
    /// As if one transaction ran after the other. One that could not have is refused, and run again.
    Serializable,
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
impl Isolation {
    /// The level's name in SQL.
    pub(super) fn sql(self) -> &'static str {
        match self {
            Self::ReadCommitted => "read committed",
            Self::RepeatableRead => "repeatable read",
            Self::Serializable => "serializable",
        }
    }
}
