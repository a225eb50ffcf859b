use crate::{
    auth::{HashError, Hasher},
    service::facade,
    support::Secret,
};

/// Password hashing.
#[derive(Debug, Clone, Copy)]
pub struct Hash;

impl Hash {
    /// [`Hasher::make`].
    ///
    /// # Errors
    /// [`HashError`].
    pub async fn make(password: Secret<String>) -> Result<String, HashError> {
        facade::<dyn Hasher>()?.make(password).await
    }

    /// [`Hasher::check`].
    ///
    /// # Errors
    /// [`HashError`].
    pub async fn check(password: Secret<String>, hash: Option<String>) -> Result<bool, HashError> {
        facade::<dyn Hasher>()?.check(password, hash).await
    }

    /// [`Hasher::needs_rehash`].
    ///
    /// # Errors
    /// [`HashError::Container`].
    pub fn needs_rehash(hash: &str) -> Result<bool, HashError> {
        Ok(facade::<dyn Hasher>()?.needs_rehash(hash))
    }
}
