//! The artisan-like console: commands, their registry, and what they print.
//!
//! A command is a clap argument struct with a name and a `run`. [`command!`](crate::command) registers it, and
//! `artisan list` shows it.
//!
//! ```
//! use std::sync::Arc;
//! use paravel::config::AppConfig;
//! use paravel::console::{Command, Console};
//!
//! #[derive(clap::Args)]
//! struct Greet {
//!     /// Whom to greet
//!     name: String,
//! }
//!
//! impl Command for Greet {
//!     const NAME: &'static str = "greet";
//!     const ABOUT: &'static str = "Greet somebody";
//!     type Dependencies = (Arc<AppConfig>,);
//!
//!     async fn run(self, (app,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
//!         console.line(format!("{} says hello to {}", app.name, self.name));
//!         Ok(())
//!     }
//! }
//!
//! paravel::command!(Greet);
//! # use paravel::clap;
//! ```

mod builtin;
mod command;
mod kernel;
mod output;
mod progress;
mod registry;
mod stops;

pub use command::{Command, CommandEntry, Part, Stage};
pub use kernel::{Exit, ExitError, Parsed, UsageError, parse, parse_words};
pub use output::{Color, Console, Refused, Written};
pub use progress::Progress;
pub use registry::{CommandInfo, Registry};
pub use stops::Stops;

/// Registers a [`Command`] with the application that this crate is linked into.
///
/// `command!(Greet)` is, by hand, `inventory::submit! { CommandEntry::of::<Greet>() }`; the explicit twin is
/// `ApplicationBuilder::command`.
#[macro_export]
macro_rules! command {
    ($command:ty) => {
        $crate::__private::inventory::submit! {
            $crate::console::CommandEntry::of::<$command>()
        }
    };
}
