use std::{
    num::NonZeroU32,
    time::{Duration, Instant},
};

use diesel::{
    QueryResult, SqliteConnection,
    connection::{AnsiTransactionManager, SimpleConnection, TransactionManager as _, TransactionManagerStatus},
};
use futures_util::future::FutureExt;
use tokio::runtime::Handle;

use super::{SqliteConn, last_error::LastError};
use crate::database::{DbError, Verdict, Work};

/// The most that is committed together. A group's members wait for all of it, and past a few hundred the commit's own
/// cost is lost among theirs.
const LARGEST: usize = 512;

/// How long a group takes in more: a write waits no longer than this and one commit, however many come.
const LONGEST: Duration = Duration::from_millis(10);

/// A piece of work and the runtime that it came from.
pub(super) struct Member {
    pub(super) handle: Handle,
    pub(super) work: Work<SqliteConn>,
}

type Done = Box<dyn FnOnce(Result<(), DbError>) + Send>;

/// Writes that share one transaction, and so one wait for the disk. Each has a savepoint of its own, so that one
/// that fails takes back nothing of the others, and each is answered only after the commit.
pub(super) struct Group<'a> {
    connection: &'a mut SqliteConn,
    last_error: &'a LastError,
    started: Instant,
    state: State,
    // Those whose writes the commit will keep.
    kept: Vec<Done>,
}

enum State {
    /// `BEGIN` comes with the first member.
    New,
    Open,
    /// SQLite has ended the transaction by itself, or it cannot be told where it stands.
    Ended,
}

/// What became of a member inside the group.
enum Ended {
    Kept,
    /// Only this member's writes were taken back.
    TakenBack(Result<(), DbError>),
    /// The transaction of all is gone.
    All(DbError),
}

impl<'a> Group<'a> {
    pub(super) fn begin(connection: &'a mut SqliteConn, last_error: &'a LastError) -> Self {
        Self { connection, last_error, started: Instant::now(), state: State::New, kept: Vec::new() }
    }

    pub(super) fn has_room(&self) -> bool {
        matches!(self.state, State::Open) && self.kept.len() < LARGEST && self.started.elapsed() < LONGEST
    }

    /// Runs a member in a savepoint: one after the other, and so serializable, whatever it asks for. One that fails is
    /// answered at once.
    pub(super) fn run(&mut self, Member { handle, work: Work { run, done, .. } }: Member) {
        if matches!(self.state, State::New) {
            if let Err(error) = at_once(self.connection, |c| AnsiTransactionManager::begin_transaction_sql(c, BEGIN)) {
                self.state = State::Ended;
                return done(Err(error));
            }
            self.state = State::Open;
        }
        if let Err(error) = at_once(self.connection, AnsiTransactionManager::begin_transaction) {
            self.abort(&error.to_string());
            return done(Err(error));
        }
        // The closures find a runtime, and await nothing that needs one: every call on the connection is ready at once.
        let verdict = handle.block_on(run(self.connection));
        // Before the savepoint's own end overwrites it.
        let cause = self.last_error.take();
        match self.end_savepoint(verdict) {
            Ended::Kept => self.kept.push(done),
            Ended::TakenBack(answer) => done(answer),
            Ended::All(error) => {
                self.abort(&cause.unwrap_or_else(|| error.to_string()));
                done(Err(error));
            }
        }
    }

    fn end_savepoint(&mut self, verdict: Verdict) -> Ended {
        // A panic, or a future dropped, inside `c.transaction` leaves savepoints inside this one.
        let unfinished = self.depth() != Some(MEMBER);
        let ended = match verdict {
            Verdict::Commit if !unfinished => {
                return match at_once(self.connection, AnsiTransactionManager::commit_transaction) {
                    Ok(()) => Ended::Kept,
                    Err(error) => Ended::All(error),
                };
            }
            Verdict::Commit => Err(DbError::Unfinished),
            Verdict::Rollback => Ok(()),
        };
        while self.depth().is_some_and(|depth| depth >= MEMBER) {
            if let Err(error) = at_once(self.connection, AnsiTransactionManager::rollback_transaction) {
                return Ended::All(error);
            }
        }
        match self.depth() {
            Some(GROUP) => Ended::TakenBack(ended),
            _ => Ended::All(DbError::Unfinished),
        }
    }

    /// How many transactions and savepoints are open; `None` where none is, or diesel has lost count.
    fn depth(&mut self) -> Option<u32> {
        let depth =
            at_once(self.connection, |c| AnsiTransactionManager::transaction_manager_status_mut(c).transaction_depth());
        depth.ok().flatten().map(NonZeroU32::get)
    }

    /// Commits, and answers those whose writes are kept. None is answered Ok before.
    pub(super) fn commit(mut self) {
        if !matches!(self.state, State::Open) {
            return;
        }
        match at_once(self.connection, AnsiTransactionManager::commit_transaction) {
            Ok(()) => self.kept.into_iter().for_each(|done| done(Ok(()))),
            Err(error) => match self.kept.pop() {
                // A member alone in its group is told the cause itself.
                Some(only) if self.kept.is_empty() => {
                    self.reset();
                    only(Err(error));
                }
                last => {
                    self.kept.extend(last);
                    self.abort(&error.to_string());
                }
            },
        }
    }

    /// Ends what is left of the transaction. Whoever thought their writes kept is told that they are not.
    fn abort(&mut self, cause: &str) {
        self.reset();
        self.state = State::Ended;
        for done in self.kept.drain(..) {
            done(Err(DbError::GroupAborted { cause: cause.to_owned() }));
        }
    }

    fn reset(&mut self) {
        // Where even this fails there is no transaction either: the next group's BEGIN says what is wrong.
        let _ = at_once(self.connection, |c| {
            let ended = c.batch_execute("ROLLBACK");
            *AnsiTransactionManager::transaction_manager_status_mut(c) = TransactionManagerStatus::default();
            ended
        });
    }
}

/// Calls diesel on the connection, which is ready at once.
pub(super) fn at_once<R: Send + 'static>(
    connection: &mut SqliteConn,
    task: impl FnOnce(&mut SqliteConnection) -> QueryResult<R> + Send + 'static,
) -> Result<R, DbError> {
    connection.spawn_blocking(task).now_or_never().ok_or(DbError::Closed)?.map_err(DbError::from)
}

/// The lock is taken at the start: a transaction that began as a reader could lose against another process later.
const BEGIN: &str = "BEGIN IMMEDIATE";

/// The depth of a group's transaction, and of a member's savepoint in it.
const GROUP: u32 = 1;
const MEMBER: u32 = 2;
