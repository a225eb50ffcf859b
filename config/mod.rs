//! The configuration: one file a concern. `artisan config:show` prints what is in force, and `artisan env` every
//! variable.

mod seed;

use paravel::{config::ConfigSet, support::Env};

pub use seed::SeedConfig;

/// Fills the application's own config structs from the environment. The toolkit's are there besides.
pub fn load(env: &Env, configs: &mut ConfigSet) {
    configs.insert("seed", SeedConfig::from_env(env));
}
