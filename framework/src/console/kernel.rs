use std::{ffi::OsString, process::ExitCode};

use anyhow::Context;
use clap::{
    Arg, ArgAction, ArgMatches, ValueEnum,
    error::{ContextKind, ContextValue, ErrorKind},
};

use super::{Color, CommandEntry, Console, Registry, Stage, output::unless_nobody_reads};
use crate::{container::Container, support::nearest_first};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Exit {
    /// It did what it was asked: 0.
    Done,
    /// It failed: 1.
    Failed,
    /// It was called wrongly: 2.
    Usage,
}

impl Exit {
    /// The process's exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        exit.code().into()
    }
}

/// A command line that names a command and gives it arguments it accepts.
pub struct Parsed {
    registry: Registry,
    entry: CommandEntry,
    matches: ArgMatches,
    json: bool,
    color: Color,
    interactive: bool,
}

/// Reads a command line, the program's name first.
///
/// # Errors
/// The exit where there is nothing to run: help was asked for and printed, or the line is wrong and it was said
/// how.
pub fn parse(registry: &Registry, line: impl IntoIterator<Item = OsString>) -> Result<Parsed, Exit> {
    let matches = match clap_command(registry).try_get_matches_from(line) {
        Ok(matches) => matches,
        Err(mut error) => {
            suggest_the_nearest(&mut error);
            let printed = unless_nobody_reads(error.print());
            return Err(match (error.kind(), printed) {
                (ErrorKind::DisplayHelp | ErrorKind::DisplayVersion, Ok(())) => Exit::Done,
                (ErrorKind::DisplayHelp | ErrorKind::DisplayVersion, Err(_)) => Exit::Failed,
                _ => Exit::Usage,
            });
        }
    };
    let (name, arguments) = matches.subcommand().unwrap_or(("list", &matches));
    let entry = registry.get(name).ok_or(Exit::Usage)?;
    Ok(Parsed {
        registry: registry.clone(),
        entry,
        matches: arguments.clone(),
        json: arguments.get_flag("json"),
        color: arguments.get_one("color").copied().unwrap_or(Color::Auto),
        interactive: !arguments.get_flag("no-interaction"),
    })
}

/// How many commands are suggested in place of one that there is not.
const SUGGESTED: usize = 3;

/// clap suggests all that is somewhat similar, the least similar first.
fn suggest_the_nearest(error: &mut clap::Error) {
    let typed = match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(typed)) => typed.clone(),
        _ => return,
    };
    if let Some(ContextValue::Strings(similar)) = error.remove(ContextKind::SuggestedSubcommand) {
        let mut similar = similar;
        nearest_first(&typed, &mut similar);
        similar.truncate(SUGGESTED);
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(similar));
    }
}

impl Parsed {
    /// The command's name.
    pub fn name(&self) -> &'static str {
        self.entry.name
    }

    /// How far the application has to be started.
    pub fn stage(&self) -> Stage {
        self.entry.stage
    }

    /// The console that the command's flags ask for, on standard output.
    pub fn console(&self, registry: &Registry) -> Console {
        Console::stdout(registry.clone(), self.json, self.color, self.interactive)
    }

    /// Runs the command.
    ///
    /// # Errors
    /// What the command met.
    pub async fn run(&self, container: Option<&Container>, console: &mut Console) -> anyhow::Result<()> {
        console.set_registry(self.registry.clone());
        (self.entry.run)(&self.matches, container, console).await?;
        console.flush().context("what it printed could not be written")
    }
}

/// The whole console as clap sees it; completions are made from it.
pub(super) fn clap_command(registry: &Registry) -> clap::Command {
    let json = Arg::new("json").long("json").global(true).action(ArgAction::SetTrue);
    let color = Arg::new("color").long("color").global(true).value_name("WHEN").default_value("auto");
    let quiet = Arg::new("no-interaction").long("no-interaction").short('n').global(true).action(ArgAction::SetTrue);
    let mut command = clap::Command::new("artisan")
        .about("The application's console")
        .version(env!("CARGO_PKG_VERSION"))
        .arg(json.help("Print machine-readable JSON instead of text"))
        .arg(color.help("When to colour the output").value_parser(clap::value_parser!(Color)))
        .arg(quiet.help("Never ask; refuse what would have to be confirmed"));
    for entry in registry.entries() {
        let sub = (entry.arguments)(clap::Command::new(entry.name));
        command = command.subcommand(sub.about(entry.about));
    }
    command
}

impl ValueEnum for Color {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Auto, Self::Always, Self::Never]
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(match self {
            Self::Auto => "auto",
            Self::Always => "always",
            Self::Never => "never",
        }))
    }
}
