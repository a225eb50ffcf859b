use std::{fmt, iter, sync::Arc};

use base64ct::{Base64UrlUnpadded, Encoding};

use super::{CryptError, key::Key, sealed};
use crate::{
    config::AppConfig,
    support::{AppKey, AppKeys},
};

/// Encrypts and decrypts with the application's key (XChaCha20-Poly1305), for one purpose.
///
/// What is encrypted for a purpose can be decrypted for that one alone, so that nobody who may put a ciphertext in one place
/// can use one from another there. `Crypt` is its facade; the container's own has no purpose.
#[derive(Clone)]
pub struct Crypter {
    keys: Arc<Keys>,
    purpose: Arc<str>,
}

struct Keys {
    current: Option<Key>,
    previous: Vec<Key>,
}

impl Crypter {
    /// Encrypts with this key.
    pub fn new(key: &AppKey) -> Self {
        Self::of(Some(key), &[])
    }

    /// Encrypts with `APP_KEY`, and decrypts with `APP_PREVIOUS_KEYS` too. Where there is no key, each call says so.
    pub fn from_config(config: &AppConfig) -> Self {
        let previous = config.previous_keys.as_ref().map_or(&[][..], |keys| AppKeys::as_slice(keys.expose()));
        Self::of(config.key.as_ref().map(|key| key.expose()), previous)
    }

    fn of(current: Option<&AppKey>, previous: &[AppKey]) -> Self {
        let keys = Keys { current: current.map(Key::of), previous: previous.iter().map(Key::of).collect() };
        Self { keys: Arc::new(keys), purpose: Arc::from("") }
    }

    /// The same keys, for this purpose, in place of that which it had: what is encrypted and where it is kept, as
    /// `users.phone`. Where it must not be moved from row to row either, with the row's id.
    #[must_use = "it is this that encrypts for the purpose"]
    pub fn for_purpose(&self, purpose: &str) -> Self {
        Self { keys: Arc::clone(&self.keys), purpose: Arc::from(purpose) }
    }

    /// What only [`decrypt`](Self::decrypt) can read, 45 bytes longer.
    ///
    /// # Errors
    /// [`CryptError::NoKey`], or [`CryptError::Random`].
    pub fn encrypt(&self, plain: &[u8]) -> Result<Vec<u8>, CryptError> {
        let key = self.keys.current.as_ref().ok_or(CryptError::NoKey)?;
        sealed::seal(key, &self.purpose, plain)
    }

    /// What was encrypted.
    ///
    /// # Errors
    /// [`CryptError::Altered`] where it was changed or was for another purpose, [`CryptError::UnknownKey`],
    /// [`CryptError::Malformed`], or [`CryptError::NoKey`].
    pub fn decrypt(&self, sealed: &[u8]) -> Result<Vec<u8>, CryptError> {
        let mut keys = iter::chain(&self.keys.current, &self.keys.previous).peekable();
        if keys.peek().is_none() {
            return Err(CryptError::NoKey);
        }
        sealed::open(keys, &self.purpose, sealed)
    }

    /// [`encrypt`](Self::encrypt), as text that fits into an address or a header: base64url.
    ///
    /// # Errors
    /// As [`encrypt`](Self::encrypt).
    pub fn encrypt_string(&self, plain: &str) -> Result<String, CryptError> {
        Ok(Base64UrlUnpadded::encode_string(&self.encrypt(plain.as_bytes())?))
    }

    /// The text that was encrypted by [`encrypt_string`](Self::encrypt_string).
    ///
    /// # Errors
    /// As [`decrypt`](Self::decrypt), and [`CryptError::NotText`].
    pub fn decrypt_string(&self, sealed: &str) -> Result<String, CryptError> {
        let sealed = Base64UrlUnpadded::decode_vec(sealed)
            .map_err(|_| CryptError::Malformed { reason: "it is not base64url" })?;
        String::from_utf8(self.decrypt(&sealed)?).map_err(|_| CryptError::NotText)
    }
}

impl fmt::Debug for Crypter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crypter").field("purpose", &self.purpose).field("keys", &"[redacted]").finish()
    }
}
