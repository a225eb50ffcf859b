use paravel::{
    container::Inject,
    listener,
    support::{BoxError, Level, LogSink},
};

use crate::events::UserRegistered;

/// Welcomes a new user in the log.
#[listener]
pub async fn log_welcome(event: &UserRegistered, log: Inject<dyn LogSink>) -> Result<(), BoxError> {
    log.write(Level::Info, "welcome", &[("user", &event.user), ("name", &event.name)]);
    Ok(())
}
