use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};

use super::{AuditEntry, AuditLog};
use crate::{
    database::{Connection, Db, DbError, Statement, Value},
    support::BoxError,
};

const INSERT: &str = "insert into audit_log (id, occurred_at, actor, action, service, method, arguments, outcome, error, \
                      state_before, state_after) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

/// An [`AuditLog`] in the application's database: the table `audit_log`, which the toolkit's migrations make. Times are in UTC,
/// states JSON. Nothing is ever taken out: what is to be forgotten of people who have been deleted is the application's to decide.
///
/// ```no_run
/// # #[cfg(feature = "sqlite")] {
/// use std::sync::Arc;
///
/// use paravel::{container::ContainerBuilder, database::{Db, SqliteConn}, service::{AuditLog, DatabaseAuditLog}};
///
/// // What `ApplicationBuilder::database` binds.
/// fn bind(app: &mut ContainerBuilder, db: Arc<Db<SqliteConn>>) {
///     app.instance::<dyn AuditLog>(Arc::new(DatabaseAuditLog::new(db)));
/// }
/// # }
/// ```
pub struct DatabaseAuditLog<C: Connection>(Arc<Db<C>>);

impl<C: Connection> DatabaseAuditLog<C> {
    /// In this database.
    pub fn new(db: Arc<Db<C>>) -> Self {
        Self(db)
    }
}

impl<C: Connection> AuditLog for DatabaseAuditLog<C> {
    fn write(&self, entry: AuditEntry) -> BoxFuture<'_, Result<(), BoxError>> {
        async move {
            let insert = insert(entry);
            let written = self.0.write(async move |c| {
                c.run(&insert).await?;
                Ok::<_, DbError>(())
            });
            match written.await {
                // By a try of the same, whose answer was lost.
                Err(error) if error.is_unique_violation() => Ok(()),
                written => Ok(written?),
            }
        }
        .boxed()
    }
}

fn insert(entry: AuditEntry) -> Statement {
    let AuditEntry { id, occurred_at, actor, action, service, method, arguments, outcome, error, before, after } =
        entry;
    Statement::new(INSERT)
        .bind(id.to_string())
        .bind(occurred_at.to_string())
        .bind(nullable(actor))
        .bind(action)
        .bind(service)
        .bind(method)
        .bind(plain(arguments))
        .bind(outcome.as_str())
        .bind(nullable(error))
        .bind(nullable(before))
        .bind(nullable(after))
}

fn nullable(text: Option<String>) -> Value {
    text.map_or(Value::Null, |text| Value::Text(plain(text)))
}

/// PostgreSQL keeps no text with a U+0000. One that is lost is better than an entry that is.
fn plain(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}
