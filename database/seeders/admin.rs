use std::sync::Arc;

use paravel::{
    auth::{Token, acceptable_password},
    console::Console,
    database::Seeder,
    support::{BoxError, Secret},
};

use crate::{
    config::SeedConfig,
    services::{NewUser, UserService},
};

/// The first administrator, where there is no user of that e-mail address yet.
pub struct AdminSeeder;

impl Seeder for AdminSeeder {
    const NAME: &'static str = "admin";
    type Dependencies = (Arc<dyn UserService>, Arc<SeedConfig>);

    async fn run(&self, (users, config): Self::Dependencies, console: &mut Console) -> Result<(), BoxError> {
        let email = &config.admin_email;
        if users.find_by_email(email).await?.is_some() {
            return Ok(());
        }
        let password = match &config.admin_password {
            Some(password) => {
                acceptable_password(password.expose(), &()).map_err(|error| format!("ADMIN_PASSWORD {error}"))?;
                password.clone()
            }
            None => {
                let password = Token::generate()?.text().clone();
                console.line(format!("The administrator {email} has the password {}", password.expose()));
                console.line("It is shown this once. Set ADMIN_PASSWORD before seeding to choose one.");
                password
            }
        };
        let user = NewUser {
            name: "Administrator".to_owned(),
            email: email.clone(),
            password: Secret::new(password.expose().clone()),
        };
        let user = users.create(user).await?;
        users.assign_roles(user.user.id, vec!["admin".to_owned()]).await?;
        Ok(())
    }
}
