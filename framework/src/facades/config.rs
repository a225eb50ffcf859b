use std::sync::Arc;

use crate::{container::ContainerError, service::facade};

/// The configuration.
#[derive(Debug, Clone, Copy)]
pub struct Config;

impl Config {
    /// The config struct of this type: `Config::get::<AppConfig>()?.name`.
    ///
    /// # Errors
    /// [`ContainerError`]: no application, or no such struct.
    pub fn get<T: Send + Sync + 'static>() -> Result<Arc<T>, ContainerError> {
        facade()
    }
}
