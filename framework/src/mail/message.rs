use std::fmt;

use serde::{Deserialize, Serialize};

use super::{MailError, Mailbox, mailbox::check_line};

/// A mail. It is plain data, so that a job can carry it.
///
/// `Debug` leaves out what it says, which may be a way into somebody's account.
///
/// ```
/// use paravel::mail::{Mail, Mailbox};
///
/// let mail = Mail::new("Welcome aboard")
///     .to(Mailbox::named("Lucy", "lucy@example.com"))
///     .reply_to("help@example.com")
///     .text("Your cabin is the one astern.")
///     .html("<p>Your cabin is the one <b>astern</b>.</p>");
/// assert!(mail.check().is_ok());
/// assert!(!format!("{mail:?}").contains("astern"));
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Mail {
    /// Whom it is from. `None`: from `MAIL_FROM_ADDRESS`.
    #[serde(default)]
    pub from: Option<Mailbox>,
    /// Whom it is to. Each sees the others.
    pub to: Vec<Mailbox>,
    /// Whom an answer goes to, where that is somebody else than who it is from.
    #[serde(default)]
    pub reply_to: Vec<Mailbox>,
    /// What it is about, in one line.
    pub subject: String,
    /// What it says, as text.
    #[serde(default)]
    pub text: Option<String>,
    /// What it says, as HTML. What comes from people has to be escaped in it.
    #[serde(default)]
    pub html: Option<String>,
}

impl Mail {
    /// A mail about this, to nobody yet.
    pub fn new(subject: impl Into<String>) -> Self {
        Self { from: None, to: Vec::new(), reply_to: Vec::new(), subject: subject.into(), text: None, html: None }
    }

    /// Says whom it is from.
    #[must_use]
    pub fn from(mut self, from: impl Into<Mailbox>) -> Self {
        self.from = Some(from.into());
        self
    }

    /// Adds somebody whom it is to.
    #[must_use]
    pub fn to(mut self, to: impl Into<Mailbox>) -> Self {
        self.to.push(to.into());
        self
    }

    /// Adds somebody whom an answer goes to.
    #[must_use]
    pub fn reply_to(mut self, to: impl Into<Mailbox>) -> Self {
        self.reply_to.push(to.into());
        self
    }

    /// Says what it says, as text.
    #[must_use]
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// Says what it says, as HTML; beside the text, for those who read no HTML.
    #[must_use]
    pub fn html(mut self, html: impl Into<String>) -> Self {
        self.html = Some(html.into());
        self
    }

    /// Whether it is to this address, in capitals or small letters.
    pub fn is_to(&self, address: &str) -> bool {
        self.to.iter().any(|to| to.address.eq_ignore_ascii_case(address))
    }

    /// Refuses what cannot be sent. [`Mailer::send`](super::Mailer::send) asks this first.
    ///
    /// # Errors
    /// [`MailError::NoRecipient`], [`MailError::Empty`], [`MailError::Address`], [`MailError::Header`], or
    /// [`MailError::TooLong`].
    pub fn check(&self) -> Result<(), MailError> {
        if self.to.is_empty() {
            return Err(MailError::NoRecipient { subject: self.subject.clone() });
        }
        check_line(&self.subject, "subject")?;
        if self.text.is_none() && self.html.is_none() {
            return Err(MailError::Empty { subject: self.subject.clone() });
        }
        self.from.iter().try_for_each(|mailbox| mailbox.check("from"))?;
        self.to.iter().try_for_each(|mailbox| mailbox.check("to"))?;
        self.reply_to.iter().try_for_each(|mailbox| mailbox.check("reply-to"))
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |text: &Option<String>| text.as_ref().map(|text| format!("{} bytes", text.len()));
        f.debug_struct("Mail")
            .field("from", &self.from)
            .field("to", &self.to)
            .field("reply_to", &self.reply_to)
            .field("subject", &self.subject)
            .field("text", &said(&self.text))
            .field("html", &said(&self.html))
            .finish()
    }
}
