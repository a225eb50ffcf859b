use std::path::{Path, PathBuf};

use diesel::{Connection as _, SqliteConnection, connection::SimpleConnection, dsl::sql, sql_types::Text};

use super::{
    SqliteConn,
    readers::{Reader, Readers},
    writer::Writer,
};
use crate::{
    config::DatabaseConfig,
    database::{Connection, DbError, Driver, Statement, Work, watch::Watcher},
};

/// Older releases can corrupt a database in WAL mode when two connections write or checkpoint at the same moment.
const OLDEST: (u32, u32, u32) = (3, 51, 3);

/// A SQLite file: one writer, several readers.
pub struct SqliteDriver {
    writer: Writer,
    readers: Readers,
}

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Writer,
    Reader,
}

impl Driver<SqliteConn> for SqliteDriver {
    type Reader = Reader;

    async fn open(config: &DatabaseConfig) -> Result<Self, DbError> {
        let path = PathBuf::from(config.url.rest());
        // The writer first: it makes the file and sets its journal mode.
        let writer = Writer::start(connect(&path, Role::Writer)?, config.write_queue)?;
        let readers = Readers::new(path, config.readers, config.acquire_timeout);
        Ok(Self { writer, readers })
    }

    async fn reader(&self) -> Result<Reader, DbError> {
        self.readers.lend().await
    }

    fn submit(&self, work: Work<SqliteConn>) -> Result<(), DbError> {
        self.writer.submit(work)
    }

    async fn describe(&self) -> Result<Vec<(String, String)>, DbError> {
        let mut reader = self.reader().await?;
        let mut facts = Vec::new();
        let version = Statement::new("select sqlite_version() as value");
        let row = reader.fetch(&version).await?.into_iter().next().unwrap_or_default();
        facts.push(("version".to_owned(), row.text("value").to_owned()));
        for pragma in ["journal_mode", "synchronous", "foreign_keys", "busy_timeout", "page_size", "page_count"] {
            let rows = reader.fetch(&Statement::new(format!("select * from pragma_{pragma}"))).await?;
            let column = if pragma == "busy_timeout" { "timeout" } else { pragma };
            let value = rows.first().map(|row| row.get(column).to_string()).unwrap_or_default();
            facts.push((pragma.to_owned(), value));
        }
        Ok(facts)
    }
}

/// Opens the file and sets it up.
pub(super) fn connect(path: &Path, role: Role) -> Result<SqliteConn, DbError> {
    let open = |reason: String| DbError::Open { name: path.display().to_string(), reason };
    let text = path.to_str().ok_or_else(|| open("the path is not Unicode".to_owned()))?;
    if text.is_empty() || text.starts_with(":memory:") || text.starts_with("file:") {
        return Err(open("give the path of a file: several connections share it".to_owned()));
    }
    let mut connection = SqliteConnection::establish(text).map_err(|error| open(error.to_string()))?;
    if role == Role::Writer {
        check_version(&mut connection)?;
    }
    connection.batch_execute(pragmas(role)).map_err(|error| open(error.to_string()))?;
    connection.set_instrumentation(Watcher::default());
    Ok(SqliteConn::new(connection))
}

/// `FULL` keeps an answered write through a power cut. `busy_timeout` is for other processes on the same file.
const fn pragmas(role: Role) -> &'static str {
    match role {
        Role::Writer => {
            "pragma busy_timeout = 5000; pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;"
        }
        Role::Reader => {
            "pragma busy_timeout = 5000; pragma synchronous = full; pragma foreign_keys = on; pragma query_only = on;"
        }
    }
}

fn check_version(connection: &mut SqliteConnection) -> Result<(), DbError> {
    use diesel::RunQueryDsl;
    let found: String = diesel::select(sql::<Text>("sqlite_version()")).get_result(connection)?;
    if is_new_enough(&found) {
        return Ok(());
    }
    Err(DbError::TooOld {
        library: "SQLite",
        found,
        needed: "3.51.3",
        reason: "an older one can corrupt a WAL database that two connections write at once",
    })
}

fn is_new_enough(version: &str) -> bool {
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    (next(), next(), next()) >= OLDEST
}

#[cfg(test)]
mod tests {
    use super::is_new_enough;

    #[test]
    fn a_sqlite_that_can_corrupt_a_wal_is_refused() {
        assert!(!is_new_enough("3.51.2"));
        assert!(!is_new_enough("3.9.9"));
        assert!(is_new_enough("3.51.3"));
        assert!(is_new_enough("3.53.0"));
        assert!(is_new_enough("4.0.0"));
    }
}
