use crate::container::ContainerError;

/// Something could not be encrypted or decrypted.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum CryptError {
    /// There is no application whose key it could be.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// The application has no key.
    #[error("there is no key to encrypt with: APP_KEY is not set; make one with `artisan key:generate`")]
    NoKey,
    /// It was encrypted with a key that is not here.
    #[error(
        "it was encrypted with another key: put the one that APP_KEY was at that time into APP_PREVIOUS_KEYS, or encrypt it \
         anew"
    )]
    UnknownKey,
    /// It is not what was encrypted, or was not encrypted for this.
    #[error(
        "it was changed after it was encrypted, or encrypted for something else than {}: read it where it was meant for, or \
         encrypt it anew",
        purpose_shown(.purpose)
    )]
    Altered {
        /// What it was to be for; empty where no purpose was named.
        purpose: String,
    },
    /// It is nothing that was encrypted here.
    #[error("it was not encrypted by this application, or was cut short: {reason}")]
    Malformed {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// What was encrypted is no text.
    #[error("what was encrypted is no text: read it by `decrypt`, which gives bytes")]
    NotText,
    /// It is longer than the cipher takes.
    #[error("more than 256 GiB cannot be encrypted at once: encrypt it in parts")]
    TooLong,
    /// The operating system gives no random bytes.
    #[error("nothing can be encrypted: the operating system gives no random bytes: {0}")]
    Random(#[from] getrandom::Error),
}

fn purpose_shown(purpose: &str) -> String {
    if purpose.is_empty() { "the general purpose".to_owned() } else { format!("`{purpose}`") }
}
