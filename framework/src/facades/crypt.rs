use crate::{
    crypt::{CryptError, Crypter},
    service::facade,
};

/// Encryption with the application's key.
///
/// ```
/// use paravel::{crypt::CryptError, facades::Crypt};
///
/// fn remembered(cookie: &str) -> Result<String, CryptError> {
///     Crypt::for_purpose("cookies.remember")?.decrypt_string(cookie)
/// }
/// # assert!(matches!(remembered(""), Err(CryptError::Container(_))));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Crypt;

impl Crypt {
    /// [`Crypter::for_purpose`].
    ///
    /// # Errors
    /// [`CryptError::Container`]: there is no application here.
    pub fn for_purpose(purpose: &str) -> Result<Crypter, CryptError> {
        Ok(facade::<Crypter>()?.for_purpose(purpose))
    }

    /// [`Crypter::encrypt`].
    ///
    /// # Errors
    /// As [`Crypter::encrypt`].
    pub fn encrypt(plain: &[u8]) -> Result<Vec<u8>, CryptError> {
        facade::<Crypter>()?.encrypt(plain)
    }

    /// [`Crypter::decrypt`].
    ///
    /// # Errors
    /// As [`Crypter::decrypt`].
    pub fn decrypt(sealed: &[u8]) -> Result<Vec<u8>, CryptError> {
        facade::<Crypter>()?.decrypt(sealed)
    }

    /// [`Crypter::encrypt_string`].
    ///
    /// # Errors
    /// As [`Crypter::encrypt_string`].
    pub fn encrypt_string(plain: &str) -> Result<String, CryptError> {
        facade::<Crypter>()?.encrypt_string(plain)
    }

    /// [`Crypter::decrypt_string`].
    ///
    /// # Errors
    /// As [`Crypter::decrypt_string`].
    pub fn decrypt_string(sealed: &str) -> Result<String, CryptError> {
        facade::<Crypter>()?.decrypt_string(sealed)
    }
}
