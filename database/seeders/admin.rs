use std::sync::Arc;

use paravel::{auth::Token, console::Console, database::Seeder, support::BoxError};

use crate::{
    config::SeedConfig,
    models::Email,
    services::{NewUser, UserService},
};

/// The role of an administrator.
const ROLE: &str = "admin";

/// The first administrator, where there is no user of that e-mail address yet.
pub struct AdminSeeder;

impl Seeder for AdminSeeder {
    const NAME: &'static str = "admin";
    type Dependencies = (Arc<dyn UserService>, Arc<SeedConfig>);

    async fn run(&self, (users, config): Self::Dependencies, console: &mut Console) -> Result<(), BoxError> {
        let email = &config.admin_email;
        if let Some(known) = users.find_by_email(&Email::new(email)).await? {
            let roles = users.find(known.id).await?.roles;
            if roles.iter().any(|role| role.name == ROLE) {
                return Ok(());
            }
            return Err(format!(
                "{email} is a user without the role `{ROLE}`: run `cargo artisan role:assign {email} {ROLE}`, or set ADMIN_EMAIL"
            )
            .into());
        }
        let (password, made) = match &config.admin_password {
            Some(password) => (password.clone(), false),
            None => (Token::generate()?.text().clone(), true),
        };
        let user = NewUser {
            name: "Administrator".to_owned(),
            email: email.clone(),
            password: password.clone(),
            roles: vec![ROLE.to_owned()],
        };
        users.create(user).await?;
        // Only now is it one that works.
        if made {
            console.line(format!("The administrator {email} has the password {}", password.expose()));
            console.line("It is shown this once. Set ADMIN_PASSWORD before seeding to choose one.");
        }
        Ok(())
    }
}
