use paravel::{
    config::CacheConfig,
    container::{ContainerBuilder, Provider},
};

use crate::repositories::{DieselRoles, DieselTokens, DieselUsers, TokenRepository};

/// Binds the repositories. Of their answers those about tokens are cached, which every request asks for.
pub struct RepositoryProvider;

impl Provider for RepositoryProvider {
    fn register(&self, app: &mut ContainerBuilder) {
        app.singleton(DieselUsers::inject);
        app.singleton(DieselRoles::inject);
        app.singleton(DieselTokens::inject);

        let cache = app.configured::<CacheConfig>().is_some_and(|cache| cache.keeps());
        app.decorate::<dyn TokenRepository>().cached().when(cache);
    }
}
