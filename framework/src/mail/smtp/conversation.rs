use std::{future::Future, io, time::Duration};

use lettre::transport::smtp::{Error as SmtpError, response::Response};
use tokio::time::{Instant, timeout_at};

use crate::{mail::MailError, support::TlsFault};

/// How much is kept of what a server said, in characters.
const LONGEST: usize = 500;

/// What is said to a server about one mail, all of which has to be over in time.
pub(super) struct Conversation<'s> {
    server: &'s str,
    after: Duration,
    until: Instant,
}

impl<'s> Conversation<'s> {
    pub(super) fn new(server: &'s str, after: Duration) -> Self {
        Self { server, after, until: Instant::now() + after }
    }

    /// Asks something that may be refused.
    pub(super) async fn ask<T>(
        &self,
        stage: &'static str,
        answer: impl Future<Output = Result<T, SmtpError>>,
    ) -> Result<T, MailError> {
        self.in_time(stage, async { answer.await.map_err(|error| self.failed(stage, &error)) }).await
    }

    /// Logs in. That the user is refused is no fault of the mail's.
    pub(super) async fn log_in(
        &self,
        answer: impl Future<Output = Result<Response, SmtpError>>,
    ) -> Result<(), MailError> {
        let refused = |reason| MailError::Authentication { server: self.server.to_owned(), reason };
        let answered = self.in_time("AUTH", async {
            answer.await.map_err(|error| match self.failed("AUTH", &error) {
                MailError::Refused { code, answer, .. } if code >= 500 => refused(format!("{code} {answer:?}")),
                // Which it says by itself, without having asked the server.
                _ if error.is_client() => refused("it offers no way to log in that is known here".to_owned()),
                other => other,
            })
        });
        answered.await.map(drop)
    }

    pub(super) async fn in_time<T>(
        &self,
        stage: &'static str,
        step: impl Future<Output = Result<T, MailError>>,
    ) -> Result<T, MailError> {
        let late = || MailError::TimedOut { server: self.server.to_owned(), stage, after: self.after };
        timeout_at(self.until, step).await.unwrap_or_else(|_| Err(late()))
    }

    pub(super) fn unreachable(&self, error: &io::Error) -> MailError {
        MailError::Unreachable { server: self.server.to_owned(), reason: error.to_string() }
    }

    pub(super) fn lost(&self, stage: &'static str, reason: &str) -> MailError {
        MailError::Lost { server: self.server.to_owned(), stage, reason: shown(reason) }
    }

    pub(super) fn refused(&self, stage: &'static str, code: u16, answer: &str) -> MailError {
        MailError::Refused { server: self.server.to_owned(), stage, code, answer: shown(answer) }
    }

    pub(super) fn not_encrypted(&self) -> MailError {
        MailError::NotEncrypted { server: self.server.to_owned() }
    }

    pub(super) fn tls(&self, fault: TlsFault) -> MailError {
        MailError::Tls { server: self.server.to_owned(), fault }
    }

    fn failed(&self, stage: &'static str, error: &SmtpError) -> MailError {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        match error.status() {
            Some(code) => self.refused(stage, code.into(), &cause.unwrap_or_default()),
            None => self.lost(stage, &cause.unwrap_or_else(|| error.to_string())),
        }
    }
}

/// What a server said, as it may stand in a log: in one line, and not without end.
fn shown(said: &str) -> String {
    said.trim().chars().take(LONGEST).map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}
