use std::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};

use crate::support::Secret;

/// A bearer token: 256 bits from the operating system, shown once to whoever asked for it. Only its
/// [`TokenHash`] is stored.
///
/// ```
/// use paravel::auth::{Token, TokenHash};
///
/// let token = Token::generate()?;
/// assert_eq!(token.hash(), TokenHash::of(token.text().expose()));
/// assert_eq!(format!("{:?}", token.text()), "[redacted]");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct Token(Secret<String>);

impl Token {
    /// A new token.
    ///
    /// # Errors
    /// Where the operating system gives no random bytes.
    pub fn generate() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(Secret::new(Base64UrlUnpadded::encode_string(&bytes))))
    }

    /// What the client sends: 43 characters of base64url.
    pub fn text(&self) -> &Secret<String> {
        &self.0
    }

    /// What is stored.
    pub fn hash(&self) -> TokenHash {
        TokenHash::of(self.0.expose())
    }
}

/// The SHA-256 of a bearer token. A fast hash is enough: 256 random bits cannot be guessed.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The hash of what a client sent.
    pub fn of(text: &str) -> Self {
        Self(Sha256::digest(text).into())
    }

    /// The bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for TokenHash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Its digits, for whoever asks for them: a cache's key, say.
impl fmt::LowerHex for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
