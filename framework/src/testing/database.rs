use tempfile::TempDir;

use super::external_server;
use crate::{
    config::DatabaseConfig,
    database::{Connection, DatabaseAdmin, Db, DbError},
    support::{Env, Id},
};

/// A database of a test's own, which is deleted with it: a file, or a schema on the server whose address is in
/// `TEST_POSTGRES_URL` or `TEST_MYSQL_URL`.
///
/// ```
/// use paravel::{database::{Connection, SqliteConn}, testing::TestDatabase};
///
/// let database = TestDatabase::create(SqliteConn::BACKEND)?.expect("SQLite needs no server");
/// assert!(database.url().starts_with("sqlite://"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TestDatabase {
    url: String,
    kept: Kept,
}

enum Kept {
    File { _folder: TempDir },
    Schema { server: String, name: String, run: Run },
}

/// Runs a script on a server.
type Run = fn(String, String) -> Result<(), DbError>;

const SERVERS: &[(&str, Run)] = &[
    #[cfg(feature = "postgres")]
    ("postgres", run::<crate::database::PgConn>),
    #[cfg(feature = "mysql")]
    ("mysql", run::<crate::database::MysqlConn>),
];

impl TestDatabase {
    /// A new, empty one of this backend; `None` where it needs a server and there is none, as
    /// [`external_server`] says.
    ///
    /// # Errors
    /// What the database said.
    ///
    /// # Panics
    /// Where the server is required and its address is not there.
    #[track_caller]
    pub fn create(backend: &str) -> Result<Option<Self>, DbError> {
        let Some(&(_, run)) = SERVERS.iter().find(|(name, _)| *name == backend) else {
            return Self::file().map(Some);
        };
        let Some(server) = external_server(&format!("TEST_{}_URL", backend.to_uppercase())) else { return Ok(None) };
        let name = format!("t_{}", Id::<()>::new().uuid().simple());
        run(server.clone(), format!("create schema {name}"))?;
        Ok(Some(Self { url: inside(backend, &server, &name), kept: Kept::Schema { server, name, run } }))
    }

    fn file() -> Result<Self, DbError> {
        let folder = tempfile::tempdir()
            .map_err(|error| DbError::Open { name: "the test's folder".to_owned(), reason: error.to_string() })?;
        let url = format!("sqlite://{}", folder.path().join("test.sqlite").display());
        Ok(Self { url, kept: Kept::File { _folder: folder } })
    }

    /// Its address.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        if let Kept::Schema { server, name, run } = &self.kept {
            let cascade = if self.url.starts_with("mysql") { "" } else { " cascade" };
            // What is left there is in nobody's way: no other test has its name.
            let _ = run(server.clone(), format!("drop schema {name}{cascade}"));
        }
    }
}

/// The server's address with this schema as the one that is used.
fn inside(backend: &str, server: &str, name: &str) -> String {
    let (address, query) = server.split_once('?').map_or((server, ""), |(address, query)| (address, query));
    if backend == "postgres" {
        let more = if query.is_empty() { String::new() } else { format!("&{query}") };
        return format!("{address}?options=-csearch_path%3D{name}{more}");
    }
    let (scheme, rest) = address.split_once("://").unwrap_or(("mysql", address));
    let host = rest.split('/').next().unwrap_or_default();
    let more = if query.is_empty() { String::new() } else { format!("?{query}") };
    format!("{scheme}://{host}/{name}{more}")
}

/// On a thread of its own: a test that ends may be in a runtime, where nothing may block on another.
#[cfg_attr(not(any(feature = "postgres", feature = "mysql")), expect(dead_code, reason = "a file needs none"))]
fn run<C: Connection>(url: String, script: String) -> Result<(), DbError> {
    let failed = |reason: String| DbError::Open { name: "the test's database".to_owned(), reason };
    let work = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| failed(error.to_string()))?;
        runtime.block_on(async {
            let db = Db::<C>::new(DatabaseConfig::from_env(&Env::from_pairs([("DATABASE_URL", url)])))?;
            let done = db.apply(None, script).await;
            db.close().await;
            done
        })
    };
    std::thread::spawn(work).join().unwrap_or_else(|_| Err(failed("its thread panicked".to_owned())))
}

#[cfg(test)]
mod tests {
    use super::inside;

    #[test]
    fn a_schema_is_put_into_the_servers_address() {
        let postgres = inside("postgres", "postgres://u:p@h:1/db", "t");
        assert_eq!(postgres, "postgres://u:p@h:1/db?options=-csearch_path%3Dt");
        let more = inside("postgres", "postgres://h/db?sslmode=disable", "t");
        assert_eq!(more, "postgres://h/db?options=-csearch_path%3Dt&sslmode=disable");
        assert_eq!(inside("mysql", "mysql://u:p@h:1/db?a=b", "t"), "mysql://u:p@h:1/t?a=b");
        assert_eq!(inside("mysql", "mysql://root@h", "t"), "mysql://root@h/t");
    }
}
