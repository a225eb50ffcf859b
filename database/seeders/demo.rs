use std::sync::Arc;

use paravel::{
    auth::{Hasher, Token},
    console::Console,
    database::{DbError, Seed, Seeder, factories::Factory},
    support::{BoxError, Secret},
};

use super::RoleSeeder;
use crate::{
    config::SeedConfig,
    database::{
        Database,
        factories::{UserFactory, UserRoleFactory},
    },
    models::{Email, Role},
    repositories::RoleRepository,
    services::{RoleService, UserService},
};

/// Users to look at: members, of whom every tenth is an editor too. The same seed's users are made once.
pub struct DemoSeeder;

impl Seeder for DemoSeeder {
    const NAME: &'static str = "demo";
    type Dependencies = (
        Arc<Database>,
        Arc<Seed>,
        Arc<SeedConfig>,
        Arc<dyn Hasher>,
        Arc<dyn RoleRepository>,
        Arc<dyn RoleService>,
        Arc<dyn UserService>,
    );

    async fn run(
        &self,
        (db, seed, config, hasher, roles, role_service, user_service): Self::Dependencies,
        console: &mut Console,
    ) -> Result<(), BoxError> {
        if config.demo_users == 0 {
            return Ok(());
        }
        let password = Token::generate()?.text().clone();
        let users = UserFactory::with_password(&*hasher, Secret::new(password.expose().clone())).await?;
        let first = users.clone().make_one(&Seed::new(seed.number())).user;
        if user_service.find_by_email(&Email::new(&first.email)).await?.is_some() {
            return Ok(());
        }
        RoleSeeder.run((role_service,), console).await?;
        let (member, editor) = (named(&*roles, "member").await?, named(&*roles, "editor").await?);

        let editors = config.demo_users / 10;
        let progress = console.progress("users", config.demo_users);
        let users = |count| users.clone().count(count).has(UserRoleFactory.for_(&member)).progress(&progress);
        let (members, editors) =
            (users(config.demo_users - editors), users(editors).has(UserRoleFactory.for_(&editor)));
        // All or none, so that the first says whether they are there.
        db.write(async move |c| {
            members.insert_on(&seed, c).await?;
            editors.insert_on(&seed, c).await?;
            Ok::<_, DbError>(())
        })
        .await?;
        drop(progress);
        console.line(format!("The demo users, such as {}, have the password {}", first.email, password.expose()));
        console.line("It is shown this once.");
        Ok(())
    }
}

async fn named(roles: &dyn RoleRepository, name: &str) -> Result<Role, BoxError> {
    let found = roles.named(&[name.to_owned()]).await?.pop();
    Ok(found.ok_or_else(|| format!("there is no role `{name}`"))?.role)
}
