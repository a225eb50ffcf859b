use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use diesel::{Connection as _, RunQueryDsl, SqliteConnection, connection::SimpleConnection, dsl::sql, sql_types::Text};
use diesel_async::SimpleAsyncConnection;

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
        // The writer first: it makes the file.
        let mut connection = connect(&path, Role::Writer)?;
        use_wal(&mut connection)
            .await
            .map_err(|error| DbError::Open { name: path.display().to_string(), reason: error.to_string() })?;
        let writer = Writer::start(connection, config.write_queue)?;
        let readers = Readers::new(path, config.readers, config.acquire_timeout);
        Ok(Self { writer, readers })
    }

    async fn reader(&self) -> Result<Reader, DbError> {
        self.readers.lend().await
    }

    fn submit(&self, work: Work<SqliteConn>) -> Result<(), DbError> {
        self.writer.submit(work)
    }

    async fn close(&self) {
        // The writer last: SQLite moves the log into the file when the last connection closes.
        self.readers.close();
        self.writer.close().await;
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
    // Before anything reads the file, which another process may be about to close.
    let busy = format!("pragma busy_timeout = {}", BUSY.as_millis());
    connection.batch_execute(&busy).map_err(|error| open(error.to_string()))?;
    if role == Role::Writer {
        // The first statement, and so the first to find that the file is no database.
        let version = diesel::select(sql::<Text>("sqlite_version()")).get_result(&mut connection);
        check_version(version.map_err(|error| open(error.to_string()))?)?;
    }
    connection.batch_execute(pragmas(role)).map_err(|error| open(error.to_string()))?;
    connection.set_instrumentation(Watcher::default());
    Ok(SqliteConn::new(connection))
}

/// Sets the journal mode, which the file keeps. Where two make the file at once, SQLite refuses one of them without
/// waiting, whatever its busy timeout.
async fn use_wal(connection: &mut SqliteConn) -> Result<(), DbError> {
    let deadline = Instant::now() + BUSY;
    loop {
        match connection.batch_execute("pragma journal_mode = wal").await.map_err(DbError::from) {
            Err(error) if error.is_conflict() && Instant::now() < deadline => tokio::time::sleep(BUSY / 500).await,
            other => return other,
        }
    }
}

/// How long to wait for other processes on the same file.
const BUSY: Duration = Duration::from_secs(5);

/// `FULL` keeps an answered write through a power cut.
const fn pragmas(role: Role) -> &'static str {
    match role {
        Role::Writer => "pragma synchronous = full; pragma foreign_keys = on;",
        Role::Reader => "pragma synchronous = full; pragma foreign_keys = on; pragma query_only = on;",
    }
}

fn check_version(found: String) -> Result<(), DbError> {
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
