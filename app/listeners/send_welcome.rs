use std::sync::Arc;

use paravel::{config::AppConfig, listener, mail::Mailer, queue::JobRun, support::BoxError};

use crate::{
    events::UserRegistered,
    mail::welcome,
    models::UserWithRoles,
    services::{UserError, UserService},
};

/// Welcomes a new user by mail.
#[listener(name = "welcome-mail", queue = "mail", tries = 5, backoff = ["10s", "1m", "10m", "1h"])]
pub async fn send_welcome(
    event: &UserRegistered,
    users: Arc<dyn UserService>,
    mailer: Arc<dyn Mailer>,
    app: Arc<AppConfig>,
) -> Result<(), BoxError> {
    // Whoever is gone by now is not welcomed.
    let user = match users.find(event.user).await {
        Ok(UserWithRoles { user, .. }) => user,
        Err(UserError::NotFound) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let sent = mailer.send(welcome(&user, &app)).await;
    // What no server will ever take is not tried again.
    if let Err(error) = &sent
        && !error.is_transient()
        && let Some(run) = JobRun::current()
    {
        run.fail(error.to_string());
    }
    Ok(sent?)
}
