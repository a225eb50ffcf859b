use paravel::{
    serde::Serialize,
    support::{Env, Secret},
};

/// What the seeders make: the first administrator, and users to look at.
#[derive(Debug, Clone, Serialize)]
pub struct SeedConfig {
    /// `ADMIN_EMAIL`: the administrator's e-mail address. Default `admin@example.com`.
    pub admin_email: String,
    /// `ADMIN_PASSWORD`: their password. By default one is made, and printed once.
    pub admin_password: Option<Secret<String>>,
    /// `DEMO_USERS`: how many users `db:seed --class demo` makes. Default 100.
    pub demo_users: u64,
}

impl SeedConfig {
    /// Reads the fields' variables.
    pub fn from_env(env: &Env) -> Self {
        Self {
            admin_email: env.var("ADMIN_EMAIL", "The first administrator's e-mail address").or("admin@example.com"),
            admin_password: env.var("ADMIN_PASSWORD", "The first administrator's password").optional(),
            demo_users: env.var("DEMO_USERS", "How many users `db:seed --class demo` makes").or(100_u64),
        }
    }
}
