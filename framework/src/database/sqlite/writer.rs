use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
};

use tokio::{
    runtime::Handle,
    sync::{
        mpsc::{self, error::TrySendError},
        oneshot,
    },
};

use super::{
    SqliteConn,
    checkpoint::Checkpoints,
    group::{Group, Member},
    last_error::LastError,
};
use crate::database::{DbError, PoolLoad, Work};

/// The one thread that writes: it owns the connection, and commits what waits together.
pub(super) struct Writer {
    queue: mpsc::Sender<Message>,
    counts: Arc<Counts>,
}

/// What its thread has to do.
#[derive(Default)]
struct Counts {
    waiting: AtomicUsize,
    busy: AtomicBool,
}

enum Message {
    Work(Member),
    Close(oneshot::Sender<()>),
}

impl Writer {
    /// Starts the thread. It ends when the writer is dropped and what waits has been done.
    pub(super) fn start(
        connection: SqliteConn,
        last_error: LastError,
        checkpoints: Checkpoints,
        queue: usize,
    ) -> Result<Self, DbError> {
        let (sender, receiver) = mpsc::channel(queue);
        let counts = Arc::new(Counts::default());
        let counted = Arc::clone(&counts);
        thread::Builder::new()
            .name("sqlite-writer".to_owned())
            .spawn(move || work(connection, &last_error, checkpoints, receiver, &counted))
            .map_err(|error| DbError::Open { name: "the writer thread".to_owned(), reason: error.to_string() })?;
        Ok(Self { queue: sender, counts })
    }

    pub(super) fn submit(&self, work: Work<SqliteConn>) -> Result<(), DbError> {
        self.counts.waiting.fetch_add(1, Ordering::Relaxed);
        self.queue.try_send(Message::Work(Member { handle: Handle::current(), work })).map_err(|error| {
            let waiting = self.counts.waiting.fetch_sub(1, Ordering::Relaxed).saturating_sub(1);
            match error {
                TrySendError::Full(_) => DbError::Overloaded { waiting },
                TrySendError::Closed(_) => DbError::Closed,
            }
        })
    }

    /// Whether its connection is in use, how many pieces of work wait, and how many may.
    pub(super) fn load(&self) -> (PoolLoad, usize) {
        let in_use = usize::from(self.counts.busy.load(Ordering::Relaxed));
        let waiting = self.counts.waiting.load(Ordering::Relaxed);
        (PoolLoad { most: 1, open: 1, in_use, idle: 1 - in_use, waiting }, self.queue.max_capacity())
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

fn work(
    mut connection: SqliteConn,
    last_error: &LastError,
    mut checkpoints: Checkpoints,
    mut queue: mpsc::Receiver<Message>,
    counts: &Counts,
) {
    let mut left_over = None;
    while let Some(message) = left_over.take().or_else(|| queue.blocking_recv()) {
        let member = match message {
            Message::Work(member) => member,
            Message::Close(closed) => {
                drop(connection);
                // Whoever asked may have gone; it is closed all the same.
                let _ = closed.send(());
                return;
            }
        };
        counts.waiting.fetch_sub(1, Ordering::Relaxed);
        counts.busy.store(true, Ordering::Relaxed);
        let mut group = Group::begin(&mut connection, last_error);
        group.run(member);
        while group.has_room() {
            match queue.try_recv() {
                Ok(Message::Work(member)) => {
                    counts.waiting.fetch_sub(1, Ordering::Relaxed);
                    group.run(member);
                }
                Ok(other) => {
                    left_over = Some(other);
                    break;
                }
                Err(_) => break,
            }
        }
        group.commit();
        checkpoints.after_commit(&mut connection);
        counts.busy.store(false, Ordering::Relaxed);
    }
}
