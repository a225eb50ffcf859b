use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt};

use super::{Claim, Fence, FenceError, KEPT};
use crate::{
    database::{Connection, Db, DbError, Isolation, Statement},
    support::Timestamp,
};

/// Runs are due at whole seconds, so a time that has this many milliseconds is a note.
const NOTE: i64 = 1;

/// A [`Fence`] in the application's database: rows of the table `schedule_runs`, which the toolkit's migrations make. The key of
/// task and time lets one of two claims in.
///
/// ```no_run
/// # #[cfg(feature = "sqlite")] {
/// use std::sync::Arc;
///
/// use paravel::{database::{Db, SqliteConn}, schedule::{Claim, DatabaseFence, Fence, FenceError}, support::Timestamp};
///
/// async fn is_ours(db: Arc<Db<SqliteConn>>, due: Timestamp) -> Result<bool, FenceError> {
///     DatabaseFence::new(db).claim(Claim { task: "report", due, by: "this server" }).await
/// }
/// # }
/// ```
pub struct DatabaseFence<C: Connection>(Arc<Db<C>>);

impl<C: Connection> DatabaseFence<C> {
    /// In this database.
    pub fn new(db: Arc<Db<C>>) -> Self {
        Self(db)
    }

    /// Takes out what is too old to be asked for again, but for the last.
    async fn prune(&self, task: &str, due: Timestamp) {
        let before = due.minus(KEPT).utc().timestamp_millis();
        let statement =
            Statement::new("delete from schedule_runs where task = ? and due_at < ?").bind(task).bind(before);
        let pruned = self.0.write(async move |c| Ok::<_, DbError>(c.run(&statement).await?)).await;
        if let Err(error) = pruned {
            tracing::debug!(task, %error, "old runs could not be taken out of the table, which the next run tries again");
        }
    }
}

/// Puts a row in where there is none; whether it did.
async fn insert<C: Connection>(c: &mut C, task: &str, due: i64, by: &str) -> Result<bool, DbError> {
    let statement = match C::BACKEND {
        "mysql" => "insert ignore into schedule_runs (task, due_at, claimed_by) values (?, ?, ?)",
        _ => "insert into schedule_runs (task, due_at, claimed_by) values (?, ?, ?) on conflict do nothing",
    };
    Ok(c.run(&Statement::new(statement).bind(task).bind(due).bind(by)).await? == 1)
}

/// The time of a note: nobody's run.
fn noted(until: Timestamp) -> i64 {
    until.utc().timestamp().saturating_mul(1000).saturating_add(NOTE)
}

impl<C: Connection> Fence for DatabaseFence<C> {
    fn claim<'a>(&'a self, claim: Claim<'a>) -> BoxFuture<'a, Result<bool, FenceError>> {
        let (task, by) = (claim.task.to_owned(), claim.by.to_owned());
        let due = claim.due.utc().timestamp_millis();
        let take = async move |c: &mut C| {
            if insert(c, &task, due, &by).await? {
                return Ok(true);
            }
            // An earlier try may have come through whose answer did not.
            let query = "select due_at from schedule_runs where task = ? and due_at = ? and claimed_by = ?";
            let rows = c.fetch(&Statement::new(query).bind(task.as_str()).bind(due).bind(by.as_str())).await?;
            Ok::<_, DbError>(!rows.is_empty())
        };
        async move {
            // What another one has committed meanwhile has to be seen.
            let taken = self.0.transaction_at(Isolation::ReadCommitted, take).await.map_err(FenceError::new)?;
            if taken {
                self.prune(claim.task, claim.due).await;
            }
            Ok(taken)
        }
        .boxed()
    }

    fn known_until<'a>(&'a self, task: &'a str, now: Timestamp) -> BoxFuture<'a, Result<Timestamp, FenceError>> {
        let task = task.to_owned();
        let look = async move |c: &mut C| {
            let query =
                Statement::new("select max(due_at) as due_at from schedule_runs where task = ? having count(*) > 0");
            let rows = c.fetch(&query.bind(task.as_str())).await?;
            if let Some(row) = rows.first() {
                return Ok(row.integer("due_at"));
            }
            let now = noted(now);
            insert(c, &task, now, "").await?;
            Ok::<_, DbError>(now)
        };
        async move {
            let known = self.0.transaction(look).await.map_err(FenceError::new)?;
            Ok(chrono::DateTime::from_timestamp_millis(known).unwrap_or_default().into())
        }
        .boxed()
    }

    fn note<'a>(&'a self, task: &'a str, until: Timestamp) -> BoxFuture<'a, Result<(), FenceError>> {
        let (name, at) = (task.to_owned(), noted(until));
        let write = async move |c: &mut C| insert(c, &name, at, "").await.map(drop);
        async move {
            self.0.transaction(write).await.map_err(FenceError::new)?;
            self.prune(task, until).await;
            Ok(())
        }
        .boxed()
    }
}
