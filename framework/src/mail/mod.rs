//! Mail: what is sent to people.
//!
//! A [`Mail`] is handed to the [`Mailer`], which looks at it, says whom it is from where the mail does not, and gives it to a
//! [`Transport`]: the log, or with the feature `smtp` a server.
//!
//! ```
//! use std::sync::Arc;
//! use paravel::{foundation::Application, mail::{Mail, Mailer}, testing::TestApp};
//!
//! # tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
//! let app = TestApp::boot(Application::builder()).await?;
//! let sent = app.fake_mail()?;
//!
//! let mailer: Arc<dyn Mailer> = app.make()?;
//! mailer.send(Mail::new("Land ho!").to("lucy@example.com").text("We have seen the Lone Islands.")).await?;
//!
//! sent.assert_sent(|mail| mail.is_to("lucy@example.com") && mail.subject == "Land ho!");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What holds
//!
//! - **No mail is sent that says more than was meant**: a subject or a name with a line break, which would add a header, is refused,
//!   and so is an address that is none.
//! - **An error says whether the same mail may be taken later** ([`MailError::is_transient`]).
//! - **A mail is sent at once**, also inside a transaction that is rolled back later. What is to wait for the commit belongs into a
//!   listener or a job.

mod address;
mod error;
#[cfg(feature = "testing")]
mod fake;
mod log;
mod mailbox;
mod mailer;
mod message;
#[cfg(feature = "smtp")]
mod smtp;
mod transport;

pub use address::acceptable_address;
pub use error::MailError;
#[cfg(feature = "testing")]
pub use fake::MailFake;
pub use log::LogTransport;
pub use mailbox::Mailbox;
pub use mailer::{DefaultMailer, Mailer};
pub use message::Mail;
#[cfg(feature = "smtp")]
pub use smtp::SmtpTransport;
pub use transport::Transport;
