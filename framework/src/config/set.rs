use std::{
    any::{Any, TypeId},
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

use serde::Serialize;

use crate::support::short_name;

/// The application's config structs, by type.
///
/// ```
/// use paravel::config::{AppConfig, ConfigSet};
/// use paravel::support::Env;
///
/// let env = Env::from_pairs([("APP_NAME", "Harbour")]);
/// let mut configs = ConfigSet::default();
/// configs.insert("app", AppConfig::from_env(&env));
/// assert_eq!(configs.get::<AppConfig>()?.name, "Harbour");
/// # Ok::<(), paravel::config::ConfigError>(())
/// ```
#[derive(Default)]
pub struct ConfigSet {
    entries: BTreeMap<&'static str, Entry>,
    duplicates: Vec<&'static str>,
}

struct Entry {
    key: TypeId,
    type_name: &'static str,
    value: ErasedArc,
    // What `config:show` prints. Nothing reads settings from it.
    shown: serde_json::Value,
}

/// Gives an `Arc<T>`, boxed, of which only the key knows `T`.
pub(crate) type ErasedArc = Arc<dyn Fn() -> Box<dyn Any + Send + Sync> + Send + Sync>;

/// A config struct without its type.
pub(crate) struct ErasedConfig {
    pub(crate) key: TypeId,
    pub(crate) type_name: &'static str,
    pub(crate) value: ErasedArc,
}

/// A config struct could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// No struct of this type was put into the set.
    #[error("no `{name}` in the configuration: insert it in config/mod.rs")]
    Missing {
        /// The type asked for.
        name: String,
    },
    /// Two structs under one name.
    #[error("the configuration has `{name}` twice: give each struct in config/mod.rs a name of its own")]
    Duplicate {
        /// The name.
        name: &'static str,
    },
    /// One type under two names.
    #[error("the configuration has `{type_name}` as `{first}` and as `{second}`: insert each type once")]
    Twice {
        /// The type.
        type_name: String,
        /// One name.
        first: &'static str,
        /// The other.
        second: &'static str,
    },
}

impl ConfigSet {
    /// Adds a struct under the name that `config:show` lists it by.
    pub fn insert<T: Serialize + Send + Sync + 'static>(&mut self, name: &'static str, config: T) {
        let shown = serde_json::to_value(&config).unwrap_or_else(|error| error.to_string().into());
        let config = Arc::new(config);
        let entry = Entry {
            key: TypeId::of::<T>(),
            type_name: std::any::type_name::<T>(),
            value: Arc::new(move || Box::new(Arc::clone(&config))),
            shown,
        };
        if self.entries.insert(name, entry).is_some() {
            self.duplicates.push(name);
        }
    }

    /// The struct of this type.
    ///
    /// # Errors
    /// [`ConfigError::Missing`] where none was inserted.
    pub fn get<T: Send + Sync + 'static>(&self) -> Result<Arc<T>, ConfigError> {
        let key = TypeId::of::<T>();
        let entry = self.entries.values().find(|entry| entry.key == key);
        entry
            .and_then(|entry| (entry.value)().downcast::<Arc<T>>().ok())
            .map(|config| *config)
            .ok_or_else(|| ConfigError::Missing { name: short_name(std::any::type_name::<T>()) })
    }

    /// Refuses a set in which a name was used twice, or a type, which [`get`](Self::get) could not tell apart.
    ///
    /// # Errors
    /// [`ConfigError::Duplicate`] or [`ConfigError::Twice`] naming the first.
    pub fn check(&self) -> Result<(), ConfigError> {
        if let Some(name) = self.duplicates.first() {
            return Err(ConfigError::Duplicate { name });
        }
        let mut seen = HashMap::new();
        for (name, entry) in &self.entries {
            if let Some(first) = seen.insert(entry.key, name) {
                return Err(ConfigError::Twice { type_name: short_name(entry.type_name), first, second: name });
            }
        }
        Ok(())
    }

    /// Every struct with its type, for the container to hold.
    pub(crate) fn erased(&self) -> impl Iterator<Item = ErasedConfig> {
        self.entries.values().map(|entry| ErasedConfig {
            key: entry.key,
            type_name: entry.type_name,
            value: Arc::clone(&entry.value),
        })
    }

    /// Each struct's name and fields, secrets redacted.
    pub fn shown(&self) -> impl Iterator<Item = (&'static str, &serde_json::Value)> {
        self.entries.iter().map(|(name, entry)| (*name, &entry.shown))
    }
}

impl fmt::Debug for ConfigSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.shown()).finish()
    }
}
