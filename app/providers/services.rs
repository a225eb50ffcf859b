use paravel::container::{ContainerBuilder, Provider};

use crate::services::{AppAuth, AppRoles, AppTokenGuard, AppUsers};

/// Binds the services.
pub struct ServiceProvider;

impl Provider for ServiceProvider {
    fn register(&self, app: &mut ContainerBuilder) {
        app.singleton(AppUsers::inject);
        app.singleton(AppRoles::inject);
        app.singleton(AppAuth::inject);
        app.singleton(AppTokenGuard::inject);
    }
}
