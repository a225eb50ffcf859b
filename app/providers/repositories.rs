use paravel::container::{ContainerBuilder, Provider};

use crate::repositories::{DieselRoles, DieselTokens, DieselUsers};

/// Binds the repositories.
pub struct RepositoryProvider;

impl Provider for RepositoryProvider {
    fn register(&self, app: &mut ContainerBuilder) {
        app.singleton(DieselUsers::inject);
        app.singleton(DieselRoles::inject);
        app.singleton(DieselTokens::inject);
    }
}
