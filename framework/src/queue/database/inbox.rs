use std::{fmt, sync::Arc};

use futures_util::future::{BoxFuture, FutureExt};

use super::{
    push::insert_once as insert,
    row::{micros, name, sql},
};
use crate::{
    database::{Connection, Db, DbError},
    support::{Clock, Timestamp},
};

/// What each consumer has had already, so that what comes twice is done once: its mark and what is done are one transaction.
///
/// ```
/// # #[cfg(feature = "sqlite")] {
/// use paravel::{database::{Db, DbError, SqliteConn}, queue::Inbox};
///
/// # async fn example(db: &Db<SqliteConn>, inbox: Inbox, payment: String) -> Result<(), DbError> {
/// db.write(async move |c| {
///     if inbox.first(c, "book-payment", &payment).await? {
///         // It is booked here, on the same connection.
///     }
///     Ok(())
/// })
/// .await
/// # }
/// # }
/// ```
///
/// An application with a database has one, which a job or a queued listener is given as `Arc<Inbox>`. The [`id`](crate::queue::JobRun::id)
/// of its run is the same for each attempt, so that what it does takes effect once:
///
/// ```standalone_crate
/// # #[cfg(feature = "sqlite")]
/// # mod listeners {
/// use std::sync::Arc;
/// use paravel::{
///     database::{Db, DbError, SqliteConn}, listener, queue::{Inbox, JobRun}, serde::{Deserialize, Serialize}, support::BoxError,
/// };
///
/// #[derive(Serialize, Deserialize)]
/// struct Paid {
///     crowns: u32,
/// }
///
/// #[listener(name = "bookkeeping", queue = "books")]
/// async fn book(event: &Paid, db: Arc<Db<SqliteConn>>, inbox: Arc<Inbox>) -> Result<(), BoxError> {
///     let (id, crowns) = (JobRun::current().ok_or("it is queued")?.id().to_string(), event.crowns);
///     db.write(async move |c| {
///         if inbox.first(c, "bookkeeping", &id).await? {
///             // They are booked here, on the same connection.
///             let _ = crowns;
///         }
///         Ok::<_, DbError>(())
///     })
///     .await?;
///     Ok(())
/// }
/// # }
/// # fn main() {}
/// ```
///
/// `queue:prune-inbox` forgets what is old.
#[derive(Clone)]
pub struct Inbox {
    clock: Arc<dyn Clock>,
}

impl Inbox {
    /// The application's.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }

    /// Notes that this consumer has this; whether it is the first time. Whoever else is about to have it is waited for.
    ///
    /// # Errors
    /// The database's; of names longer than 300 bytes, on MySQL and MariaDB.
    pub async fn first<C: Connection>(&self, c: &mut C, consumer: &str, id: &str) -> Result<bool, DbError> {
        let values = [name(consumer), name(id), micros(self.clock.now()).into()];
        insert(c, "queue_inbox (consumer, id, received_at)", values).await
    }

    /// Forgets what was had before that moment, and so would be had again; how much that was.
    ///
    /// # Errors
    /// The database's.
    pub async fn prune<C: Connection>(&self, c: &mut C, before: Timestamp) -> Result<u64, DbError> {
        let pruned = c.run(&sql("delete from queue_inbox where received_at < ?", [micros(before).into()])).await?;
        Ok(u64::try_from(pruned).unwrap_or(u64::MAX))
    }
}

/// Prunes the [`Inbox`] of whatever database, for `queue:prune-inbox`.
pub struct InboxPruner(Prune);

type Prune = Box<dyn Fn(Timestamp) -> BoxFuture<'static, Result<u64, DbError>> + Send + Sync>;

impl fmt::Debug for InboxPruner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboxPruner").finish_non_exhaustive()
    }
}

impl InboxPruner {
    /// Of this database.
    pub fn of<C: Connection>(db: &Arc<Db<C>>, inbox: &Inbox) -> Self {
        let (db, inbox) = (Arc::clone(db), inbox.clone());
        Self(Box::new(move |before| {
            let (db, inbox) = (Arc::clone(&db), inbox.clone());
            async move { db.write(async move |c: &mut C| inbox.prune(c, before).await).await }.boxed()
        }))
    }

    /// Forgets what was had before that moment; how much that was.
    ///
    /// # Errors
    /// The database's.
    pub async fn prune(&self, before: Timestamp) -> Result<u64, DbError> {
        (self.0)(before).await
    }
}
