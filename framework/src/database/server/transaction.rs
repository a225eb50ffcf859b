use std::num::NonZeroU32;

use diesel::{
    connection::TransactionManagerStatus,
    result::{DatabaseErrorKind, Error as DieselError},
};
use diesel_async::{AnsiTransactionManager, TransactionManager};

use super::{Server, health::Health};
use crate::database::{DbError, Isolation, Run, Verdict};

/// Runs work in a transaction and carries out its verdict. Where it leaves the transaction open, because the server is
/// gone or is not understood any more, the connection is seen to be broken.
///
/// # Errors
/// [`DbError::Uncertain`] where the connection was lost during the commit. A conflict that the work met is the answer,
/// though it is rolled back as it wished.
pub(super) async fn transact<C: Server>(
    connection: &mut C,
    health: &Health,
    isolation: Option<Isolation>,
    run: Run<C>,
) -> Result<(), DbError> {
    AnsiTransactionManager::begin_transaction_sql(connection, &C::begin(isolation)).await?;
    let verdict = run(connection).await;
    let conflict = health.take_conflict();
    let ended = match verdict {
        // The next answer would be that to another statement. The server rolls back when the connection is closed.
        Verdict::Commit if health.is_cut_short::<C>() => return Err(DbError::Unfinished),
        Verdict::Rollback if health.is_cut_short::<C>() => return Ok(()),
        Verdict::Commit if conflict && C::CONFLICT_ENDS_ALL => Err(in_the_way()),
        Verdict::Rollback if conflict => Err(in_the_way()),
        Verdict::Rollback => return end(connection, "ROLLBACK").await,
        Verdict::Commit if depth(connection) == NonZeroU32::new(1) => {
            end(connection, C::COMMIT).await.map_err(uncertain)
        }
        // A panic that was caught, or a future dropped, inside `c.transaction` left a savepoint.
        Verdict::Commit => Err(DbError::Unfinished),
    };
    if ended.is_err() {
        // Why it could not be committed says more than why it could not be rolled back.
        let _ = end(connection, "ROLLBACK").await;
    }
    ended
}

/// The server may have committed, and only its answer been lost.
fn uncertain(error: DbError) -> DbError {
    if error.is_lost() { DbError::Uncertain { cause: error.to_string() } } else { error }
}

fn in_the_way() -> DbError {
    let message = "somebody else's transaction was in the way, and this one was rolled back";
    DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, Box::new(message.to_owned())).into()
}

fn depth<C: Server>(connection: &mut C) -> Option<NonZeroU32> {
    AnsiTransactionManager::transaction_manager_status_mut(connection).transaction_depth().ok().flatten()
}

/// Ends the transaction with all its savepoints. The manager's own way would end the innermost of them.
async fn end<C: Server>(connection: &mut C, sql: &str) -> Result<(), DbError> {
    connection.batch_execute(sql).await?;
    *AnsiTransactionManager::transaction_manager_status_mut(connection) = TransactionManagerStatus::default();
    Ok(())
}
