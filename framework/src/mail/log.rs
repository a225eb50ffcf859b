use async_trait::async_trait;

use super::{Mail, MailError, Transport};
use crate::config::{AppConfig, Environment};

/// Writes of each mail to the log, and sends none: to whom, about what, and where the application is local what it says. In
/// production that is a warning, because whoever waits for the mail waits in vain.
#[derive(Debug, Clone, Copy)]
pub struct LogTransport {
    environment: Environment,
}

impl LogTransport {
    /// The log of an application that runs in this environment.
    pub fn new(config: &AppConfig) -> Self {
        Self { environment: config.env }
    }
}

#[async_trait]
impl Transport for LogTransport {
    async fn deliver(&self, mail: &Mail) -> Result<(), MailError> {
        let to = mail.to.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let subject = &mail.subject;
        match self.environment {
            Environment::Local => {
                let body = mail.text.as_deref().or(mail.html.as_deref()).unwrap_or_default();
                tracing::info!(to, subject, %body, "mail, which is only logged");
            }
            Environment::Testing => tracing::info!(to, subject, "mail, which is only logged"),
            Environment::Production => {
                tracing::warn!(to, subject, "mail, which is only logged: set MAIL_MAILER to send it");
            }
        }
        Ok(())
    }
}
