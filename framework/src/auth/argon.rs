use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use async_trait::async_trait;
use tokio::sync::Semaphore;

use super::{HashError, Hasher};
use crate::{config::AuthConfig, container::spawn_blocking, support::Secret};

/// argon2id. A bounded number of hashes is computed at once, on the blocking threads, and a bounded number waits.
#[derive(Debug)]
pub struct Argon2Hasher {
    params: Params,
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
    queue: usize,
    // What an unknown user's password is checked against: the right form, and no password's hash.
    nobody: String,
}

impl Argon2Hasher {
    /// A hasher with the configuration's parameters.
    ///
    /// # Errors
    /// [`HashError::Parameters`] where argon2 does not take them.
    pub fn new(config: &AuthConfig) -> Result<Self, HashError> {
        let params = Params::new(config.hash_memory_kib, config.hash_iterations, 1, None)
            .map_err(|error| HashError::Parameters(error.to_string()))?;
        Ok(Self {
            params,
            permits: Arc::new(Semaphore::new(config.hash_concurrency.max(1))),
            waiting: AtomicUsize::new(0),
            queue: config.hash_queue,
            nobody: nobody(config),
        })
    }

    async fn compute<R: Send + 'static>(
        &self,
        work: impl FnOnce(Argon2<'static>) -> Result<R, HashError> + Send + 'static,
    ) -> Result<R, HashError> {
        let permit = match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                let _waiting = Waiting::enter(&self.waiting, self.queue)?;
                let acquired = Arc::clone(&self.permits).acquire_owned().await;
                acquired.map_err(|error| HashError::Interrupted(error.to_string()))?
            }
        };
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, self.params.clone());
        let done = spawn_blocking(move || {
            // Held by the computation itself: a caller that goes away does not free its place early.
            let _permit = permit;
            work(argon2)
        });
        done.await.map_err(|error| HashError::Interrupted(error.to_string()))?
    }
}

/// A place in the queue, given back when dropped.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn enter(waiting: &'a AtomicUsize, limit: usize) -> Result<Self, HashError> {
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        let place = Self(waiting);
        if before >= limit { Err(HashError::Overloaded { waiting: before }) } else { Ok(place) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A hash of the configuration's cost, whose salt and digest are zeros.
fn nobody(config: &AuthConfig) -> String {
    let (memory, iterations) = (config.hash_memory_kib, config.hash_iterations);
    let (salt, digest) = ("A".repeat(22), "A".repeat(43));
    format!("$argon2id$v=19$m={memory},t={iterations},p=1${salt}${digest}")
}

fn hash(argon2: &Argon2<'_>, password: &str) -> Result<String, HashError> {
    let hashed = argon2.hash_password(password.as_bytes());
    hashed.map(|hash| hash.to_string()).map_err(|error| HashError::Interrupted(error.to_string()))
}

#[async_trait]
impl Hasher for Argon2Hasher {
    async fn make(&self, password: Secret<String>) -> Result<String, HashError> {
        self.compute(move |argon2| hash(&argon2, password.expose())).await
    }

    async fn check(&self, password: Secret<String>, stored: Option<String>) -> Result<bool, HashError> {
        let known = stored.is_some();
        let text = stored.unwrap_or_else(|| self.nobody.clone());
        self.compute(move |argon2| {
            let parsed = PasswordHash::new(&text).map_err(|error| HashError::Malformed(error.to_string()))?;
            let matches = argon2.verify_password(password.expose().as_bytes(), &parsed).is_ok();
            Ok(matches && known)
        })
        .await
    }

    fn needs_rehash(&self, hash: &str) -> bool {
        let Ok(parsed) = PasswordHash::new(hash) else { return true };
        match Params::try_from(&parsed) {
            Ok(params) => params.m_cost() < self.params.m_cost() || params.t_cost() < self.params.t_cost(),
            Err(_) => true,
        }
    }
}
