use async_trait::async_trait;

use super::{Mail, MailError};

/// Carries mail on: what `MAIL_MAILER` names, or an application's own that is bound in its place.
///
/// ```
/// use std::sync::Arc;
/// use paravel::{
///     async_trait,
///     container::{ContainerBuilder, Provider},
///     mail::{Mail, MailError, Transport},
/// };
///
/// struct Pigeons;
///
/// #[async_trait]
/// impl Transport for Pigeons {
///     async fn deliver(&self, mail: &Mail) -> Result<(), MailError> {
///         let reason = format!("{} is too far for a pigeon", mail.to[0]);
///         Err(MailError::Failed { reason, transient: false })
///     }
/// }
///
/// struct MailProvider;
///
/// impl Provider for MailProvider {
///     fn register(&self, app: &mut ContainerBuilder) {
///         app.replace(|app| {
///             app.instance::<dyn Transport>(Arc::new(Pigeons));
///         });
///     }
/// }
/// ```
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends a mail that has been [checked](Mail::check) and says whom it is from, where anything says so.
    ///
    /// # Errors
    /// [`MailError`].
    async fn deliver(&self, mail: &Mail) -> Result<(), MailError>;
}
