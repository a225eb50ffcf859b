use std::{sync::Arc, time::Duration};

use super::{ApplicationBuilder, StartError};
use crate::{
    container::{Container, DynProvider},
    database::DatabaseAdmin,
    events::EventBus,
};

/// How long what was raised last has to be heard.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// An application whose container is frozen.
pub struct Application {
    container: Container,
    providers: Vec<Box<dyn DynProvider>>,
    warnings: Vec<String>,
}

impl Application {
    /// What an application is built from.
    pub fn builder() -> ApplicationBuilder {
        ApplicationBuilder::new()
    }

    pub(super) fn new(container: Container, providers: Vec<Box<dyn DynProvider>>, warnings: Vec<String>) -> Self {
        Self { container, providers, warnings }
    }

    /// Its container.
    pub fn container(&self) -> &Container {
        &self.container
    }

    /// What is odd about the environment, and no fault.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Waits for the listeners of what was raised last, for ten seconds at most, and closes the database, after which nothing can be
    /// asked of the application.
    pub async fn shutdown(&self) {
        if let Ok(bus) = self.container.make::<EventBus>()
            && tokio::time::timeout(LAST_WORDS, bus.settled()).await.is_err()
        {
            tracing::error!("listeners of signals still ran when the application ended, and were cut off");
        }
        if let Ok(database) = self.container.make::<dyn DatabaseAdmin>() {
            database.close().await;
        }
    }

    /// Opens the database and boots the providers, in order.
    ///
    /// # Errors
    /// [`StartError::Database`], or [`StartError::Provider`] naming the provider.
    pub async fn boot(&self) -> Result<(), StartError> {
        if self.container.bound::<dyn DatabaseAdmin>() {
            let database: Result<Arc<dyn DatabaseAdmin>, _> = self.container.make();
            if let Ok(database) = database {
                self.container.run(database.connect()).await?;
            }
        }
        for provider in &self.providers {
            let booted = self.container.run(provider.boot(self.container.clone())).await;
            booted.map_err(|source| StartError::Provider { provider: provider.name(), source })?;
        }
        Ok(())
    }
}
