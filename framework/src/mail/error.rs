use std::time::Duration;

use crate::container::ContainerError;
#[cfg(feature = "smtp")]
use crate::support::TlsFault;

/// A mail was not sent, or it is not known whether it was.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum MailError {
    /// There is no application whose mailer it could be.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// It is to nobody.
    #[error("the mail {subject:?} is to nobody: say whom by `Mail::to`")]
    NoRecipient {
        /// Its subject.
        subject: String,
    },
    /// It says nothing.
    #[error("the mail {subject:?} says nothing: give it a `text`, an `html` or both")]
    Empty {
        /// Its subject.
        subject: String,
    },
    /// It is from nobody.
    #[error("the mail {subject:?} is from nobody: set MAIL_FROM_ADDRESS, or say from whom by `Mail::from`")]
    NoSender {
        /// Its subject.
        subject: String,
    },
    /// An address that is none.
    #[error("{address:?}, which the mail is to have as `{field}`, is no e-mail address such as ada@example.com")]
    Address {
        /// Where it stands: `from`, `to` or `reply-to`.
        field: &'static str,
        /// What stands there.
        address: String,
    },
    /// A line break, or another character that is not printed, where it would end the header.
    #[error("`{field}` of the mail has a line break or another control character: leave it out")]
    Header {
        /// Where it stands: `subject`, or the name of `from`, `to` or `reply-to`.
        field: &'static str,
    },
    /// A subject or a name that does not fit into a line.
    #[error("`{field}` of the mail is longer than {longest} characters: shorten it")]
    TooLong {
        /// Where it stands: `subject`, or the name of `from`, `to` or `reply-to`.
        field: &'static str,
        /// How long it may be.
        longest: usize,
    },
    /// The server is not to be reached.
    #[error(
        "cannot reach the mail server at {server}: {reason}: see that it runs there, or correct MAIL_HOST and MAIL_PORT"
    )]
    Unreachable {
        /// Its host and port.
        server: String,
        /// What the network said.
        reason: String,
    },
    /// It took too long. Where the mail had been handed over, it may have been sent.
    #[error("the mail server at {server} did not get to the end of {stage} within {after:?} in all (MAIL_TIMEOUT)")]
    TimedOut {
        /// Its host and port.
        server: String,
        /// What was under way.
        stage: &'static str,
        /// How long it might take.
        after: Duration,
    },
    /// The connection was lost, or what came over it is not SMTP. Where the mail had been handed over, it may have been sent.
    #[error("the conversation with the mail server at {server} broke off at {stage}: {reason}")]
    Lost {
        /// Its host and port.
        server: String,
        /// What was under way.
        stage: &'static str,
        /// What ended it.
        reason: String,
    },
    /// The server offers no TLS, and nothing goes on in plain.
    #[error(
        "the mail server at {server} offers no STARTTLS: set MAIL_ENCRYPTION=tls where it begins by TLS, with the port that \
         it does so on, or MAIL_ENCRYPTION=none where nobody can listen in between"
    )]
    NotEncrypted {
        /// Its host and port.
        server: String,
    },
    /// There is no TLS with the server.
    #[cfg(feature = "smtp")]
    #[error("cannot reach the mail server at {server} by TLS: {fault}")]
    Tls {
        /// Its host and port.
        server: String,
        /// Why not.
        #[source]
        fault: TlsFault,
    },
    /// The server does not take the user and the password, or nobody can log in to it.
    #[error("the mail server at {server} refuses to log in: {reason}: correct MAIL_USERNAME and MAIL_PASSWORD")]
    Authentication {
        /// Its host and port.
        server: String,
        /// What it said.
        reason: String,
    },
    /// The server said no.
    #[error("the mail server at {server} answered {stage} with {code} {answer:?}")]
    Refused {
        /// Its host and port.
        server: String,
        /// What it answered.
        stage: &'static str,
        /// Its code: from 400 it may take the same mail later, from 500 never.
        code: u16,
        /// Its words.
        answer: String,
    },
    /// A transport of the application's own failed.
    #[error("the mail could not be sent: {reason}")]
    Failed {
        /// Why.
        reason: String,
        /// Whether the same mail may be taken later.
        transient: bool,
    },
}

impl MailError {
    /// Whether nothing is wrong with the mail or the configuration, so that it is worth sending again later. One that was
    /// handed over before the answer was lost may then arrive twice.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::TimedOut { .. } | Self::Lost { .. } => true,
            Self::Refused { code, .. } => (400..500).contains(code),
            Self::Failed { transient, .. } => *transient,
            _ => false,
        }
    }
}
