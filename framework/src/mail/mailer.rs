use std::{fmt, sync::Arc};

use async_trait::async_trait;

use super::{Mail, MailError, Mailbox, Transport};
use crate::config::MailConfig;

/// Sends mail. Services have an `Arc<dyn Mailer>`; `Mail` is its facade.
#[async_trait]
pub trait Mailer: Send + Sync {
    /// Sends a mail, and returns when whoever carries it on has taken it.
    ///
    /// # Errors
    /// [`MailError`]: what is wrong with the mail, or why it could not be handed over.
    async fn send(&self, mail: Mail) -> Result<(), MailError>;
}

/// The mailer that an application has: it checks a mail, completes it by the configuration, and gives it to the transport.
///
/// In a test it has a fake: `TestApp::fake_mail`.
pub struct DefaultMailer {
    transport: Arc<dyn Transport>,
    from: Option<Mailbox>,
    #[cfg(feature = "testing")]
    pub(super) faked: parking_lot::RwLock<Option<super::MailFake>>,
}

impl DefaultMailer {
    /// One that sends by this transport.
    pub fn new(transport: Arc<dyn Transport>, config: &MailConfig) -> Self {
        let from = config.from_address.as_ref().map(|address| Mailbox::named(&config.from_name, address));
        Self {
            transport,
            from,
            #[cfg(feature = "testing")]
            faked: Default::default(),
        }
    }
}

#[async_trait]
impl Mailer for DefaultMailer {
    async fn send(&self, mut mail: Mail) -> Result<(), MailError> {
        mail.from = mail.from.or_else(|| self.from.clone());
        mail.check()?;
        #[cfg(feature = "testing")]
        if let Some(fake) = self.fake_now() {
            fake.record(mail);
            return Ok(());
        }
        self.transport.deliver(&mail).await
    }
}

impl fmt::Debug for DefaultMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DefaultMailer").field("from", &self.from).finish_non_exhaustive()
    }
}
