use std::sync::atomic::{AtomicUsize, Ordering};
use std::{sync::Arc, thread};

use diesel::connection::{AnsiTransactionManager, TransactionManager as _};
use diesel::{QueryResult, SqliteConnection};
use futures_util::future::FutureExt;
use tokio::{
    runtime::Handle,
    sync::{
        mpsc::{self, error::TrySendError},
        oneshot,
    },
};

use super::SqliteConn;
use crate::database::{DbError, Verdict, Work};

/// The one thread that writes: it owns the connection, and takes one piece of work after another.
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
    waiting: Arc<AtomicUsize>,
}

enum Message {
    Work(Handle, Work<SqliteConn>),
    Close(oneshot::Sender<()>),
}

impl Writer {
    /// Starts the thread. It ends when the writer is dropped and what waits has been done.
    pub(super) fn start(connection: SqliteConn, queue: usize) -> Result<Self, DbError> {
        let (sender, receiver) = mpsc::channel(queue);
        let waiting = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&waiting);
        thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || work(connection, receiver, &counter))
            .map_err(|error| DbError::Open { name: "the writer thread".to_owned(), reason: error.to_string() })?;
        Ok(Self { queue: sender, waiting })
    }

    pub(super) fn submit(&self, work: Work<SqliteConn>) -> Result<(), DbError> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.queue.try_send(Message::Work(Handle::current(), work)).map_err(|error| {
            let waiting = self.waiting.fetch_sub(1, Ordering::Relaxed).saturating_sub(1);
            match error {
                TrySendError::Full(_) => DbError::Overloaded { waiting },
                TrySendError::Closed(_) => DbError::Closed,
            }
        })
    }

    /// Waits until what was submitted before is done and the connection is closed.
    pub(super) async fn close(&self) {
        let (closed, done) = oneshot::channel();
        // Where it cannot be sent or is not answered, the thread has ended already.
        if self.queue.send(Message::Close(closed)).await.is_ok() {
            let _ = done.await;
        }
    }
}

fn work(mut connection: SqliteConn, mut queue: mpsc::Receiver<Message>, waiting: &AtomicUsize) {
    while let Some(message) = queue.blocking_recv() {
        let (handle, work) = match message {
            Message::Work(handle, work) => (handle, work),
            Message::Close(closed) => {
                drop(connection);
                // Whoever asked may have gone; it is closed all the same.
                let _ = closed.send(());
                return;
            }
        };
        waiting.fetch_sub(1, Ordering::Relaxed);
        // The closures find a runtime, and await nothing that needs one: every call on the connection is ready at once.
        let done = handle.block_on(transact(&mut connection, work.run));
        (work.done)(done);
    }
}

async fn transact(connection: &mut SqliteConn, run: crate::database::Run<SqliteConn>) -> Result<(), DbError> {
    on(connection, |inner| AnsiTransactionManager::begin_transaction_sql(inner, "BEGIN IMMEDIATE")).await?;
    let verdict = run(connection).await;
    let depth =
        on(connection, |inner| AnsiTransactionManager::transaction_manager_status_mut(inner).transaction_depth()).await;
    // A panic, or a future dropped, inside `c.transaction` leaves a savepoint, and to end that is not to end it all.
    let outermost = matches!(depth, Ok(Some(depth)) if depth.get() == 1);
    let ended = match verdict {
        Verdict::Commit if outermost => on(connection, AnsiTransactionManager::commit_transaction).await,
        Verdict::Commit => Err(DbError::Unfinished),
        Verdict::Rollback if outermost => on(connection, AnsiTransactionManager::rollback_transaction).await,
        Verdict::Rollback => return on(connection, reset).await,
    };
    if ended.is_err() {
        // A commit that failed may have left the transaction open, and SQLite may have ended it by itself; either
        // way the next piece of work must find none.
        on(connection, reset).await?;
    }
    ended
}

fn reset(connection: &mut SqliteConnection) -> QueryResult<()> {
    use diesel::connection::{SimpleConnection, TransactionManagerStatus};
    let ended = connection.batch_execute("ROLLBACK");
    *AnsiTransactionManager::transaction_manager_status_mut(connection) = TransactionManagerStatus::default();
    match ended {
        Err(error) if error.to_string().contains("no transaction is active") => Ok(()),
        other => other,
    }
}

pub(super) async fn on<R: Send + 'static>(
    connection: &mut SqliteConn,
    task: impl FnOnce(&mut SqliteConnection) -> QueryResult<R> + Send + 'static,
) -> Result<R, DbError> {
    connection.spawn_blocking(task).map(|done| done.map_err(DbError::from)).await
}
