use std::sync::Arc;

use paravel::{config::AppConfig, listener, mail::Mailer, support::BoxError};

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
    match users.find(event.user).await {
        Ok(UserWithRoles { user, .. }) => Ok(mailer.send(welcome(&user, &app)).await?),
        Err(UserError::NotFound) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
