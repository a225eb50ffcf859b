use super::Push;

/// Writes what is pushed inside a transaction as a part of it, so that neither is without the other: into the queue's own tables,
/// where they are in the same database, or into an outbox.
pub trait Transactional: Send + Sync {
    /// Has it written before the commit of the transaction that is open here; gives it back where that is none of its database.
    fn take(&self, push: Push) -> Option<Push>;

    /// Whether it is the queue itself, so that a push which is made by itself while a transaction is open waits for its end.
    fn is_queue(&self) -> bool {
        false
    }
}
