use crate::{
    mail::{self, MailError, Mailer},
    service::facade,
};

/// The mailer.
///
/// ```
/// use paravel::{
///     facades::Mail,
///     mail::{Mail as Message, MailError},
/// };
///
/// async fn call(address: &str) -> Result<(), MailError> {
///     Mail::send(Message::new("Land ho!").to(address).text("Come on deck.")).await
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Mail;

impl Mail {
    /// [`Mailer::send`].
    ///
    /// # Errors
    /// As [`Mailer::send`].
    pub async fn send(mail: impl Into<mail::Mail>) -> Result<(), MailError> {
        facade::<dyn Mailer>()?.send(mail.into()).await
    }

    /// Begins to record mail in place of its being sent, in the application that runs here: a test's.
    ///
    /// # Errors
    /// [`MailError::Container`]: there is no application here.
    #[cfg(feature = "testing")]
    pub fn fake() -> Result<mail::MailFake, MailError> {
        Ok(facade::<mail::DefaultMailer>()?.fake())
    }
}
