use paravel::{
    auth::acceptable_password,
    mail::acceptable_address,
    serde::Serialize,
    support::{Env, EnvValue, Secret},
};

/// What the seeders make: the first administrator, and users to look at.
#[derive(Debug, Clone, Serialize)]
pub struct SeedConfig {
    /// `ADMIN_EMAIL`: the administrator's e-mail address. Default `admin@example.com`.
    pub admin_email: String,
    /// `ADMIN_PASSWORD`: their password. By default one is made, and printed once.
    pub admin_password: Option<Secret<String>>,
    /// `DEMO_USERS`: how many users `db:seed --class demo` makes, up to 1000000. Default 100.
    pub demo_users: u64,
}

impl SeedConfig {
    /// Reads the fields' variables.
    pub fn from_env(env: &Env) -> Self {
        let email = Email("admin@example.com".to_owned());
        let password = env.var("ADMIN_PASSWORD", "The first administrator's password").optional();
        Self {
            admin_email: env.var("ADMIN_EMAIL", "The first administrator's e-mail address").or::<Email>(email).0,
            admin_password: password.map(|Password(password)| password),
            demo_users: env
                .var("DEMO_USERS", "How many users `db:seed --class demo` makes")
                .between(0..=1_000_000, 100_u64),
        }
    }
}

struct Email(String);

impl EnvValue for Email {
    const EXPECTED: &'static str = "an e-mail address such as admin@example.com";

    fn parse(text: &str) -> Option<Self> {
        acceptable_address(text, &()).ok().map(|()| Self(text.to_owned()))
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}

struct Password(Secret<String>);

impl EnvValue for Password {
    const EXPECTED: &'static str = "a password of 8 to 128 characters that is none of the most common ones";
    const SECRET: bool = true;

    fn parse(text: &str) -> Option<Self> {
        acceptable_password(text, &()).ok().map(|()| Self(Secret::new(text.to_owned())))
    }

    fn show(&self) -> String {
        self.0.to_string()
    }
}
