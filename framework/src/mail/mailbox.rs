use std::fmt;

use serde::{Deserialize, Serialize};

use super::MailError;
use crate::support::is_email_address;

/// A line of a header has 998 characters at most (RFC 5322, 2.1.1), and cannot be broken where there is no space. The rest is for
/// the header's name and an address.
const LONGEST: usize = 600;

/// Whom a mail is to or from: an e-mail address, and perhaps a name. What it says is looked at when the mail is sent.
///
/// ```
/// use paravel::mail::Mailbox;
///
/// assert_eq!(Mailbox::named("Lucy", "lucy@example.com").to_string(), "Lucy <lucy@example.com>");
/// assert_eq!(Mailbox::from("lucy@example.com").to_string(), "lucy@example.com");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mailbox {
    /// The name that people read.
    pub name: Option<String>,
    /// The address.
    pub address: String,
}

impl Mailbox {
    /// An address with a name. An empty one counts as none.
    pub fn named(name: impl Into<String>, address: impl Into<String>) -> Self {
        Self { name: Some(name.into()).filter(|name| !name.trim().is_empty()), address: address.into() }
    }

    /// Refuses what no mail can be sent to, or would say something else than it seems to.
    pub(super) fn check(&self, field: &'static str) -> Result<(), MailError> {
        if !is_email_address(&self.address) {
            return Err(MailError::Address { field, address: self.address.clone() });
        }
        self.name.iter().try_for_each(|name| check_line(name, field))
    }
}

/// Refuses what would not stand in a header as it is.
pub(super) fn check_line(text: &str, field: &'static str) -> Result<(), MailError> {
    if text.contains(char::is_control) {
        return Err(MailError::Header { field });
    }
    if text.chars().count() > LONGEST {
        return Err(MailError::TooLong { field, longest: LONGEST });
    }
    Ok(())
}

impl From<&str> for Mailbox {
    fn from(address: &str) -> Self {
        address.to_owned().into()
    }
}

impl From<String> for Mailbox {
    fn from(address: String) -> Self {
        Self { name: None, address }
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "{name} <{}>", self.address),
            None => f.write_str(&self.address),
        }
    }
}
