use std::sync::Arc;

use paravel::{
    anyhow::{self, bail},
    clap,
    console::{Command, Console},
};

use crate::{http::resources::UserResource, models::Email, services::UserService};

/// `role:assign`
#[derive(clap::Args)]
struct RoleAssign {
    /// The user's e-mail address
    email: String,
    /// The names of the roles, which replace those they have
    #[arg(required = true, value_name = "ROLE")]
    roles: Vec<String>,
}

impl Command for RoleAssign {
    const NAME: &'static str = "role:assign";
    const ABOUT: &'static str = "Replace a user's roles";
    type Dependencies = (Arc<dyn UserService>,);

    async fn run(self, (users,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        let Some(user) = users.find_by_email(&Email::new(&self.email)).await? else {
            bail!("no user has the e-mail address {}", self.email);
        };
        let user = users.assign_roles(user.id, self.roles).await?;
        Ok(console.value(&UserResource::from(user))?)
    }
}

paravel::command!(RoleAssign);
