use std::time::Duration;

use serde::Serialize;

use super::shown;
use crate::support::{Env, EnvValue, Zone};

/// What runs by itself.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct ScheduleConfig {
    /// `SCHEDULE_TIMEZONE`: the time zone that times of day are meant in, but for tasks that name their own. Default `UTC`.
    pub timezone: Zone,
    /// `SCHEDULE_GRACE`: how long tasks that run may go on when `schedule:work` or `schedule:run` is stopped, up to `1h`. Default `30s`.
    #[serde(serialize_with = "shown::duration")]
    pub grace: Duration,
    /// `SCHEDULE_STORE`: where it is kept which runs have been taken by whom: `database` or `cache`. Default: the database,
    /// where the application has one, else the cache.
    pub store: Option<ScheduleStoreName>,
}

/// Where processes agree on who runs what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ScheduleStoreName {
    /// The application's database.
    Database,
    /// The default cache, where other processes share it.
    Cache,
}

impl EnvValue for ScheduleStoreName {
    const EXPECTED: &'static str = "database or cache";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "database" => Some(Self::Database),
            "cache" => Some(Self::Cache),
            _ => None,
        }
    }

    fn show(&self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

impl ScheduleConfig {
    /// Reads the fields' variables.
    pub fn from_env(env: &Env) -> Self {
        Self {
            timezone: env.var("SCHEDULE_TIMEZONE", "The time zone of scheduled tasks").or(Zone::UTC),
            grace: env
                .var("SCHEDULE_GRACE", "How long scheduled tasks may go on when they are to stop")
                .between(Duration::ZERO..=Duration::from_secs(3600), Duration::from_secs(30)),
            store: env.var("SCHEDULE_STORE", "Where it is kept who runs which task").optional(),
        }
    }
}
