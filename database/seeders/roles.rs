use std::sync::Arc;

use paravel::{console::Console, database::Seeder, support::BoxError};

use crate::{
    models::{ALL_PERMISSIONS, USERS_VIEW},
    services::{NewRole, RoleService},
};

/// The roles `admin`, `editor` and `member`.
pub struct RoleSeeder;

impl Seeder for RoleSeeder {
    const NAME: &'static str = "roles";
    type Dependencies = (Arc<dyn RoleService>,);

    async fn run(&self, (roles,): Self::Dependencies, _console: &mut Console) -> Result<(), BoxError> {
        for (name, description, permissions) in [
            ("admin", "May do everything", ALL_PERMISSIONS.as_slice()),
            ("editor", "Sees other users", &[USERS_VIEW]),
            ("member", "Sees and edits only itself", &[]),
        ] {
            let role = NewRole {
                name: name.to_owned(),
                description: Some(description.to_owned()),
                permissions: permissions.iter().copied().map(str::to_owned).collect(),
            };
            roles.ensure(role).await?;
        }
        Ok(())
    }
}
