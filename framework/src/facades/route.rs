use std::fmt::Display;

use crate::{
    config::AppConfig,
    container::ContainerError,
    http::{RouteTable, UrlError},
    service::facade,
};

/// The routes, by name.
#[derive(Debug, Clone, Copy)]
pub struct Route;

impl Route {
    /// Whether a route has this name.
    ///
    /// # Errors
    /// [`ContainerError`]: there is no application here.
    pub fn has(name: &str) -> Result<bool, ContainerError> {
        Ok(facade::<RouteTable>()?.has(name))
    }

    /// [`RouteTable::path`].
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn path(name: &str, parameters: &[(&str, &dyn Display)]) -> Result<String, UrlError> {
        facade::<RouteTable>()?.path(name, parameters)
    }

    /// The same with `APP_URL` before it.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn url(name: &str, parameters: &[(&str, &dyn Display)]) -> Result<String, UrlError> {
        let path = Self::path(name, parameters)?;
        Ok(format!("{}{path}", facade::<AppConfig>()?.url))
    }
}
