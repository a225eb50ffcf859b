use std::fmt;

use base64ct::{Base64, Encoding};
use serde::{Serialize, Serializer};

use super::EnvValue;

/// A value that is never printed: `Debug`, `Display` and `Serialize` all show `[redacted]`.
///
/// ```
/// use paravel::support::Secret;
///
/// let password = Secret::new("hunter22".to_owned());
/// assert_eq!(format!("{password:?}"), "[redacted]");
/// assert_eq!(password.expose(), "hunter22");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret<T>(T);

impl<T> Secret<T> {
    /// Hides `value`.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The hidden value. Never log what this returns.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<T> fmt::Display for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<T> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("[redacted]")
    }
}

impl<T: EnvValue> EnvValue for Secret<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    const SECRET: bool = true;

    fn parse(text: &str) -> Option<Self> {
        T::parse(text).map(Self)
    }

    fn show(&self) -> String {
        "[redacted]".to_owned()
    }
}

/// The application's key: 32 bytes, written `base64:` and their standard base64.
///
/// `artisan key:generate` makes one.
#[derive(Clone, PartialEq, Eq)]
pub struct AppKey([u8; 32]);

impl AppKey {
    /// A key of 256 bits from the operating system.
    ///
    /// # Errors
    /// Where the operating system gives no random bytes.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The text to write to `APP_KEY`.
    pub fn to_text(&self) -> String {
        format!("base64:{}", Base64::encode_string(&self.0))
    }
}

impl EnvValue for AppKey {
    const EXPECTED: &'static str = "`base64:` and 32 bytes in base64 (make one with `artisan key:generate`)";
    const SECRET: bool = true;

    fn parse(text: &str) -> Option<Self> {
        let bytes = Base64::decode_vec(text.strip_prefix("base64:")?).ok()?;
        bytes.try_into().ok().map(Self)
    }

    fn show(&self) -> String {
        "[redacted]".to_owned()
    }
}

impl fmt::Debug for AppKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Several application keys, written as `APP_KEY` is, with commas between them.
///
/// ```
/// use paravel::support::{AppKey, AppKeys, EnvValue};
///
/// let (one, other) = (AppKey::generate()?, AppKey::generate()?);
/// let keys = AppKeys::parse(&format!("{}, {}", one.to_text(), other.to_text())).unwrap();
/// assert_eq!(keys.as_slice(), [one, other]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AppKeys(Vec<AppKey>);

impl AppKeys {
    /// The keys, in their order.
    pub fn as_slice(&self) -> &[AppKey] {
        &self.0
    }
}

impl EnvValue for AppKeys {
    const EXPECTED: &'static str =
        "keys such as APP_KEY was, `base64:` and 32 bytes in base64, with commas between them";
    const SECRET: bool = true;

    fn parse(text: &str) -> Option<Self> {
        text.split(',').map(|key| AppKey::parse(key.trim())).collect::<Option<_>>().map(Self)
    }

    fn show(&self) -> String {
        "[redacted]".to_owned()
    }
}
