//! The key of a new application.

use base64ct::{Base64, Encoding};

/// A new value for `APP_KEY`: `base64:` and 256 bits from the operating system, as `artisan key:generate` makes it.
///
/// # Errors
/// Where the operating system gives no random bytes.
pub fn generate() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(format!("base64:{}", Base64::encode_string(&bytes)))
}
