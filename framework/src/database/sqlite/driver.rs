use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use diesel::{Connection as _, RunQueryDsl, SqliteConnection, connection::SimpleConnection, dsl::sql, sql_types::Text};
use diesel_async::{AsyncConnection as _, SimpleAsyncConnection};
use futures_util::future::FutureExt;
use tokio::sync::oneshot;

use super::{
    SqliteCalls, SqliteConn,
    checkpoint::{Checkpoints, LONGEST_LOG},
    last_error::LastError,
    obstacle::with_obstacle,
    readers::{Reader, Readers},
    writer::Writer,
};
use crate::{
    config::DatabaseConfig,
    database::{Connection, DatabaseLoad, DbError, Driver, ReadFrom, Run, Statement, Verdict, Work, watch::Watcher},
};

/// Older releases can corrupt a database in WAL mode when two connections write or checkpoint at the same moment.
const OLDEST: (u32, u32, u32) = (3, 51, 3);

/// A SQLite file: one writer, several readers.
pub struct SqliteDriver {
    path: PathBuf,
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

    fn is_missing(config: &DatabaseConfig) -> bool {
        let path = Path::new(config.url.rest());
        // Where its folder is missing, too, opening it makes nothing, and says so.
        !path.exists() && path.parent().is_some_and(|folder| folder.as_os_str().is_empty() || folder.is_dir())
    }

    async fn open(config: &DatabaseConfig) -> Result<Self, DbError> {
        let path = PathBuf::from(config.url.rest());
        // The writer first: it makes the file.
        let mut connection = connect(&path, Role::Writer, SqliteCalls::default())?;
        use_wal(&mut connection)
            .await
            .map_err(|error| DbError::Open { name: path.display().to_string(), reason: with_obstacle(error, &path) })?;
        let last_error = LastError::default();
        connection.set_instrumentation(last_error.and(Watcher::default()));
        let writer = Writer::start(connection, last_error, Checkpoints::new(&path), config.write_queue)?;
        let readers = Readers::new(path.clone(), config.readers, config.acquire_timeout);
        Ok(Self { path, writer, readers })
    }

    async fn reader(&self, _: ReadFrom) -> Result<Reader, DbError> {
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
        let mut reader = self.readers.lend().await?;
        let version = Statement::new("select sqlite_version() as value");
        let row = reader.fetch(&version).await?.into_iter().next().unwrap_or_default();
        let mut facts = vec![("version".to_owned(), row.text("value").to_owned())];
        facts.extend(in_force(&mut reader, OF_THE_FILE, "").await?);
        facts.extend(in_force(&mut reader, OF_A_CONNECTION, "reader.").await?);
        drop(reader);
        facts.extend(self.of_the_writer().await?);
        Ok(facts)
    }

    fn load(&self) -> DatabaseLoad {
        // Of the files alone something is to be seen from another process, such as the console's.
        let bytes = |suffix: &str| {
            let mut path = self.path.clone().into_os_string();
            path.push(suffix);
            Some(std::fs::metadata(path).map_or(0, |file| file.len()))
        };
        let (file_bytes, wal_bytes) = (bytes(""), bytes("-wal"));
        let (writers, write_queue) = self.writer.load();
        DatabaseLoad {
            readers: self.readers.load(),
            writers,
            write_queue,
            file_bytes,
            wal_bytes,
            ..DatabaseLoad::default()
        }
    }
}

impl SqliteDriver {
    /// What is in force on the writer's connection, once it is this question's turn.
    async fn of_the_writer(&self) -> Result<Vec<(String, String)>, DbError> {
        let (answer, answered) = oneshot::channel();
        let run: Run<SqliteConn> = Box::new(|connection| {
            async move {
                // Whoever asked may have gone.
                let _ = answer.send(in_force(connection, OF_A_CONNECTION, "writer.").await);
                Verdict::Rollback
            }
            .boxed()
        });
        self.writer.submit(Work { isolation: None, is_own: false, run, done: Box::new(drop) })?;
        answered.await.map_err(|_| DbError::Closed)?
    }
}

/// The pragmas that `db:show` shows: of the database, and of each kind of connection.
const OF_THE_FILE: &[&str] = &["journal_mode", "page_size", "page_count", "encoding", "auto_vacuum"];
const OF_A_CONNECTION: &[&str] = &[
    "synchronous",
    "foreign_keys",
    "query_only",
    "busy_timeout",
    "wal_autocheckpoint",
    "journal_size_limit",
    "cache_size",
];

/// The values of these pragmas on a connection.
async fn in_force(c: &mut SqliteConn, pragmas: &[&str], of: &str) -> Result<Vec<(String, String)>, DbError> {
    let mut facts = Vec::with_capacity(pragmas.len());
    for pragma in pragmas {
        // Not every pragma has a table-valued function, nor a column of its own name.
        let row = c.fetch(&Statement::new(format!("pragma {pragma}"))).await?.into_iter().next().unwrap_or_default();
        let value = row.columns().next().map_or_else(String::new, |(_, value)| value.to_string());
        facts.push((format!("{of}{pragma}"), value));
    }
    Ok(facts)
}

/// Opens the file and sets it up.
pub(super) fn connect(path: &Path, role: Role, calls: SqliteCalls) -> Result<SqliteConn, DbError> {
    let open = |reason: String| DbError::Open { name: path.display().to_string(), reason };
    let text = path.to_str().ok_or_else(|| open("the path is not Unicode".to_owned()))?;
    if text.is_empty() || text.starts_with(":memory:") || text.starts_with("file:") {
        return Err(open("give the path of a file: several connections share it".to_owned()));
    }
    let mut connection = SqliteConnection::establish(text).map_err(|error| open(with_obstacle(error, path)))?;
    // Before anything reads the file, which another process may be about to close.
    let busy = format!("pragma busy_timeout = {}", BUSY.as_millis());
    connection.batch_execute(&busy).map_err(|error| open(error.to_string()))?;
    if role == Role::Writer {
        // The first statement, and so the first to find that the file is no database.
        let version = diesel::select(sql::<Text>("sqlite_version()")).get_result(&mut connection);
        check_version(version.map_err(|error| open(error.to_string()))?)?;
    }
    connection.batch_execute(&pragmas(role)).map_err(|error| open(error.to_string()))?;
    connection.set_instrumentation(Watcher::default());
    Ok(SqliteConn::with_runtime(connection, calls))
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
pub(super) const BUSY: Duration = Duration::from_secs(5);

/// `FULL` keeps an answered write through a power cut. A reader never writes, and so has no log to copy.
fn pragmas(role: Role) -> String {
    let own = match role {
        Role::Writer => format!("journal_size_limit = {LONGEST_LOG}"),
        Role::Reader => "query_only = on".to_owned(),
    };
    format!("pragma synchronous = full; pragma foreign_keys = on; pragma {own};")
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
