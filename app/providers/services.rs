use paravel::{
    config::{CacheConfig, LogConfig},
    container::{ContainerBuilder, Provider},
    service::Logging,
    support::Level,
};

use crate::services::{AppAuth, AppRoles, AppTokenGuard, AppUsers, AuthService, RoleService, UserService};

/// Binds the services, and says what stands around them; `artisan service:list` prints it.
pub struct ServiceProvider;

impl Provider for ServiceProvider {
    fn register(&self, app: &mut ContainerBuilder) {
        app.singleton(AppUsers::inject);
        app.singleton(AppRoles::inject);
        app.singleton(AppAuth::inject);
        app.singleton(AppTokenGuard::inject);

        let log = app.configured::<LogConfig>().is_some_and(|log| log.services);
        let cache = app.configured::<CacheConfig>().is_some_and(|cache| cache.keeps());
        app.decorate::<dyn UserService>().with(Logging::at(Level::Info)).when(log).cached().when(cache).audited();
        app.decorate::<dyn RoleService>().with(Logging::at(Level::Info)).when(log).cached().when(cache).audited();
        app.decorate::<dyn AuthService>().with(Logging::at(Level::Info)).when(log);
    }
}
