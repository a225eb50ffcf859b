use async_trait::async_trait;

use crate::{container::ContainerError, support::Secret};

/// A password could not be hashed or checked.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum HashError {
    /// Too many hashes wait already.
    #[error("too many passwords are being hashed: {waiting} wait")]
    Overloaded {
        /// How many wait.
        waiting: usize,
    },
    /// The stored hash is none.
    #[error("a stored password hash cannot be read: {0}")]
    Malformed(String),
    /// The parameters in the configuration are out of argon2's range.
    #[error("HASH_MEMORY_KIB and HASH_ITERATIONS are out of argon2's range: {0}")]
    Parameters(String),
    /// There is no application whose hasher it could be.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// The computation was cut off.
    #[error("the hashing was cut off: {0}")]
    Interrupted(String),
}

/// Hashes passwords and checks them, off the async threads.
#[async_trait]
pub trait Hasher: Send + Sync {
    /// The password's hash, with a salt of its own.
    async fn make(&self, password: Secret<String>) -> Result<String, HashError>;

    /// Whether the password is the one that was hashed. Without a hash (the user is unknown) the same work is done
    /// and the answer is no, so that the time taken tells nobody which users there are.
    async fn check(&self, password: Secret<String>, hash: Option<String>) -> Result<bool, HashError>;

    /// Whether the hash was made with weaker parameters than a new one would be.
    fn needs_rehash(&self, hash: &str) -> bool;
}
