//! Mail by SMTP. A mail has a connection of its own: nothing that an earlier one left behind, an answer that nobody waited for,
//! can be taken for an answer to this one.

mod compose;
mod connect;
mod conversation;
mod starttls;
mod wire;

use std::{
    fmt,
    sync::{Once, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use lettre::transport::smtp::{
    authentication::{Credentials, Mechanism},
    commands,
    extension::ClientId,
};
use tokio_rustls::TlsConnector;

use self::{compose::compose, conversation::Conversation};
use super::{Mail, MailError, Transport};
use crate::{
    config::{AppConfig, MailConfig, MailEncryption},
    support::is_here,
};

/// How long the server may take to say goodbye: the mail is on its way by then.
const GOODBYE: Duration = Duration::from_secs(1);

/// Hands mail to a server (feature `smtp`), which carries it on.
pub struct SmtpTransport {
    config: MailConfig,
    /// Its host and port, as errors name it.
    server: String,
    hello: ClientId,
    production: bool,
    warned: Once,
    tls: OnceLock<TlsConnector>,
}

impl SmtpTransport {
    /// The server that the configuration names. Nothing connects before there is a mail.
    pub fn new(config: &MailConfig, app: &AppConfig) -> Self {
        // An address has colons of its own.
        let host = if config.host.contains(':') { format!("[{}]", config.host) } else { config.host.clone() };
        Self {
            server: format!("{host}:{}", config.port),
            config: config.clone(),
            hello: connect::hello(&app.url),
            production: app.is_production(),
            warned: Once::new(),
            tls: OnceLock::new(),
        }
    }

    /// Says in production that whoever stands between here and the server reads along.
    fn warn_once(&self) {
        if self.production && self.config.encryption == MailEncryption::None && !is_here(&self.config.host) {
            self.warned.call_once(|| {
                let host = &self.config.host;
                tracing::warn!(host, "the mail server is reached without TLS: set MAIL_ENCRYPTION");
            });
        }
    }
}

#[async_trait]
impl Transport for SmtpTransport {
    async fn deliver(&self, mail: &Mail) -> Result<(), MailError> {
        self.warn_once();
        let (envelope, bytes) = compose(mail)?;
        let talk = Conversation::new(&self.server, self.config.timeout);
        let mut connection = self.connect(&talk).await?;

        if let (Some(username), Some(password)) = (&self.config.username, &self.config.password) {
            let credentials = Credentials::new(username.clone(), password.expose().clone());
            talk.log_in(connection.auth(&[Mechanism::Plain, Mechanism::Login], &credentials)).await?;
        }
        let from = commands::Mail::new(envelope.from().cloned(), Vec::new());
        talk.ask("MAIL FROM", connection.command(from)).await?;
        for to in envelope.to() {
            talk.ask("RCPT TO", connection.command(commands::Rcpt::new(to.clone(), Vec::new()))).await?;
        }
        talk.ask("DATA", connection.command(commands::Data)).await?;
        talk.ask("the mail", connection.message(&bytes)).await?;
        // Whatever comes of this, the server has the mail.
        let _ = tokio::time::timeout(GOODBYE, connection.quit()).await;
        Ok(())
    }
}

impl fmt::Debug for SmtpTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpTransport").field("config", &self.config).finish_non_exhaustive()
    }
}
