//! Encryption with the application's key: what only this application can read, and nobody can have changed.
//!
//! ```
//! use paravel::{crypt::{CryptError, Crypter}, support::AppKey};
//!
//! let crypter = Crypter::new(&AppKey::generate()?).for_purpose("users.phone");
//! let sealed = crypter.encrypt_string("+31 6 1234 5678")?;
//! assert_eq!(crypter.decrypt_string(&sealed)?, "+31 6 1234 5678");
//!
//! // It is of no use anywhere else.
//! let elsewhere = crypter.for_purpose("users.name").decrypt_string(&sealed);
//! assert!(matches!(elsewhere, Err(CryptError::Altered { .. })));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What holds
//!
//! - **What was changed is refused**, by a bit or as a whole, and so is what was encrypted for another purpose.
//! - **Keys can be changed**: `APP_KEY` encrypts, and what the keys of `APP_PREVIOUS_KEYS` encrypted can still be read.
//! - **The length is no secret**: a ciphertext is 45 bytes longer than what is in it.
//! - **The same text is never encrypted to the same bytes twice**, so it can be neither searched for nor compared.

mod crypter;
mod error;
mod key;
mod sealed;

pub use crypter::Crypter;
pub use error::CryptError;
