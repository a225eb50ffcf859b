use serde::Serialize;

use crate::support::{AppKey, AppKeys, Env, EnvFault, EnvValue, Secret};

/// Where the application runs, which decides how much it shows and what it asks before doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// A developer's machine.
    Local,
    /// A test.
    Testing,
    /// Where people depend on it.
    Production,
}

impl Environment {
    /// The word that `APP_ENV` uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Testing => "testing",
            Self::Production => "production",
        }
    }
}

impl EnvValue for Environment {
    const EXPECTED: &'static str = "local, testing or production";

    fn parse(text: &str) -> Option<Self> {
        [Self::Local, Self::Testing, Self::Production].into_iter().find(|known| known.as_str() == text)
    }

    fn show(&self) -> String {
        self.as_str().to_owned()
    }
}

/// What concerns the application as a whole.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct AppConfig {
    /// `APP_NAME`: the name shown to people. Default `Paravel`.
    pub name: String,
    /// `APP_ENV`: `local`, `testing` or `production`. Default `local`.
    pub env: Environment,
    /// `APP_URL`: where people reach the application, without a slash at the end. Default `http://127.0.0.1:8000`.
    pub url: String,
    /// `APP_KEY`: `base64:` and 32 bytes; what encrypts and signs. Required in production.
    pub key: Option<Secret<AppKey>>,
    /// `APP_PREVIOUS_KEYS`: what `APP_KEY` was before, with commas between several. What they encrypted can still be read.
    /// Default none.
    pub previous_keys: Option<Secret<AppKeys>>,
}

impl AppConfig {
    /// Reads the fields' variables.
    pub fn from_env(env: &Env) -> Self {
        let config = Self {
            name: env.var("APP_NAME", "The name shown to people").or("Paravel"),
            env: env.var("APP_ENV", "Where the application runs").or(Environment::Local),
            url: env
                .var("APP_URL", "Where people reach the application")
                .or::<HttpUrl>(HttpUrl("http://127.0.0.1:8000".to_owned()))
                .0,
            key: env.var("APP_KEY", "The key that encrypts and signs").optional(),
            previous_keys: env
                .var("APP_PREVIOUS_KEYS", "Earlier keys, by which what they encrypted can still be read")
                .optional(),
        };
        // A key of the wrong form has been noted already.
        if config.is_production() && !env.is_set("APP_KEY") {
            let expected = AppKey::EXPECTED.to_owned();
            env.fault(EnvFault::Missing { name: "APP_KEY", expected });
        }
        config
    }

    /// Whether people depend on this instance.
    pub fn is_production(&self) -> bool {
        self.env == Environment::Production
    }
}

struct HttpUrl(String);

impl EnvValue for HttpUrl {
    const EXPECTED: &'static str = "an address that starts with http:// or https://";

    fn parse(text: &str) -> Option<Self> {
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
        (!host.is_empty()).then(|| Self(text.trim_end_matches('/').to_owned()))
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}
