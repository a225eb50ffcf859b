use serde::Serialize;

use crate::support::{Env, EnvValue};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for machines.
    Json,
}

impl EnvValue for LogFormat {
    const EXPECTED: &'static str = "text or json";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    fn show(&self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

/// What is logged, and how.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct LogConfig {
    /// `LOG_LEVEL`: `error`, `warn`, `info`, `debug` or `trace`, or a filter such as `info,app=debug`. Default `info`.
    pub level: String,
    /// `LOG_FORMAT`: `text` or `json`. Default `text`.
    pub format: LogFormat,
    /// `LOG_SERVICES`: whether each call of a service is logged at `info`, with its arguments, where the application
    /// decorates its services by that. Default `false`.
    pub services: bool,
    /// `LOG_REQUESTS`: whether each request is logged at `info`, with its method, path (the query is left out), status,
    /// milliseconds and id; else at `debug`. By default where the application is local.
    pub requests: Option<bool>,
}

impl LogConfig {
    /// Reads the fields' variables.
    pub fn from_env(env: &Env) -> Self {
        Self {
            level: env.var("LOG_LEVEL", "What is logged").or::<Filter>(Filter("info".to_owned())).0,
            format: env.var("LOG_FORMAT", "How log lines look").or(LogFormat::Text),
            services: env.var("LOG_SERVICES", "Whether calls of services are logged, with their arguments").or(false),
            requests: env
                .var("LOG_REQUESTS", "Whether each request is logged; by default where it is local")
                .optional(),
        }
    }
}

struct Filter(String);

impl EnvValue for Filter {
    const EXPECTED: &'static str = "error, warn, info, debug or trace, or a filter such as info,app=debug";

    fn parse(text: &str) -> Option<Self> {
        // A lone unknown word would be taken for a target's name, and silence everything.
        let level = text.parse::<tracing_subscriber::filter::LevelFilter>().is_ok();
        let filter = text.contains('=') && tracing_subscriber::EnvFilter::try_new(text).is_ok();
        (level || filter).then(|| Self(text.to_owned()))
    }

    fn show(&self) -> String {
        self.0.clone()
    }
}
