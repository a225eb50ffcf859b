use std::sync::Arc;

use garde::Validate;
use paravel::{
    anyhow::{self, bail},
    auth::Token,
    clap,
    console::{Command, Console},
    serde::Serialize,
};

use crate::{
    http::{requests::CreateUser, resources::UserResource},
    services::{NewUser, UserService},
};

/// `user:create`
#[derive(clap::Args)]
struct UserCreate {
    /// Their e-mail address
    email: String,
    /// What to call them
    #[arg(long)]
    name: String,
    /// Their password; other users of this machine may see it while the command runs. Without it one is made and shown
    #[arg(long)]
    password: Option<String>,
    /// A role to give them; may be repeated. Without it they are a member
    #[arg(long = "role", value_name = "NAME")]
    roles: Vec<String>,
}

#[derive(Serialize)]
struct Created {
    #[serde(flatten)]
    user: UserResource,
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

impl Command for UserCreate {
    const NAME: &'static str = "user:create";
    const ABOUT: &'static str = "Create a user";
    type Dependencies = (Arc<dyn UserService>,);

    async fn run(self, (users,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        let made = match &self.password {
            Some(_) => None,
            None => Some(Token::generate()?.text().expose().clone()),
        };
        let password = self.password.or_else(|| made.clone()).unwrap_or_default();
        let request = CreateUser { name: self.name, email: self.email, password };
        if let Err(report) = request.validate() {
            let faults: Vec<_> = report.iter().map(|(path, error)| format!("{path} {}", error.message())).collect();
            bail!("{}", faults.join("; "));
        }
        let user = users.create(NewUser { roles: self.roles, ..NewUser::from(&request) }).await?;
        Ok(console.value(&Created { user: user.into(), password: made })?)
    }
}

paravel::command!(UserCreate);
