//! The application: what it is built from, and the phases in which it starts.
//!
//! **configure** (the environment fills the config structs), **register** (providers fill the container), **verify** (the
//! whole graph is checked), **freeze**, **boot** (providers start what runs), and then a command runs: `serve` is
//! one of them.

mod application;
mod builder;
mod clock;
mod commands;
mod error;
mod logging;
mod run;
mod scheduling;

pub use application::Application;
pub use builder::ApplicationBuilder;
pub use error::StartError;
pub use run::{main, run};
