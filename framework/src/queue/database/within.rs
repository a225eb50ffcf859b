use std::{any::Any, sync::Arc};

use parking_lot::Mutex;

use super::{
    super::{Driver, Push, QueueError, Settlement, Transactional},
    DatabaseDriver,
    push::store,
    row::Place,
    settle::{hold, settle},
};
use crate::{
    container::NoApplication,
    database::{Connection, Db, DbError, after_commit},
};

/// Has the transaction of this database that is open here end with something about a push; gives the push back where there is
/// none.
pub(super) fn before_commit<C, F>(db: &Db<C>, push: Push, hook: F) -> Option<Push>
where
    C: Connection,
    F: AsyncHook<C>,
{
    let kept = Arc::new(Mutex::new(Some(push)));
    let taken = Arc::clone(&kept);
    let refused = db.before_commit(async move |c: &mut C| {
        let push = taken.lock().take();
        match push {
            Some(push) => hook.run(c, push).await,
            None => Ok(()),
        }
    });
    refused.and_then(|_| kept.lock().take())
}

/// What a transaction does with a push before it commits.
pub(super) trait AsyncHook<C>: Send + 'static {
    /// Does it.
    fn run(self, c: &mut C, push: Push) -> impl Future<Output = Result<(), DbError>> + Send;
}

/// The push becomes a part of the transaction.
struct Written<C: Connection>(DatabaseDriver<C>);

impl<C: Connection> AsyncHook<C> for Written<C> {
    async fn run(self, c: &mut C, push: Push) -> Result<(), DbError> {
        store(c, push, Vec::new(), self.0.now()).await?;
        after_commit(async move { self.0.tell() }).await.map_err(outside)?;
        Ok(())
    }
}

/// A hook runs in a transaction, which is in an application.
pub(super) fn outside(error: NoApplication) -> DbError {
    DbError::Container(error.into())
}

impl<C: Connection> Transactional for DatabaseDriver<C> {
    fn take(&self, push: Push) -> Option<Push> {
        before_commit(&self.inner.db, push, Written(self.clone()))
    }

    fn is_queue(&self) -> bool {
        true
    }
}

/// The queue's driver, where it has its jobs in the database of the transaction on this connection.
pub(in crate::queue) fn driver_of<C: Connection>(driver: &dyn Driver) -> Option<&DatabaseDriver<C>> {
    let driver: &dyn Any = driver;
    driver.downcast_ref::<DatabaseDriver<C>>().filter(|driver| driver.inner.db.has_transaction_here())
}

impl<C: Connection> DatabaseDriver<C> {
    /// Ends a claim in a transaction that is open; whether it is in force. It is held from now on, and ended before the commit, after
    /// what was dispatched until then: a batch must not end before it has grown.
    pub(in crate::queue) async fn settle_in(&self, c: &mut C, end: &Settlement) -> Result<bool, QueueError> {
        let place = Place::of(end);
        let held = hold(c, std::iter::once(place)).await.map_err(unsettled)?;
        if !held.contains(&place) {
            return Ok(false);
        }
        let (driver, end) = (self.clone(), end.clone());
        let refused = self.inner.db.before_commit(async move |c: &mut C| {
            settle(c, vec![&end], driver.now()).await?;
            after_commit(async move { driver.tell() }).await.map_err(outside)?;
            Ok(())
        });
        // The driver was found by the transaction that is open here.
        Ok(refused.is_none())
    }
}

fn unsettled(error: DbError) -> QueueError {
    QueueError::Driver { operation: "end a job in its own transaction", source: Arc::new(super::failed(error)) }
}
