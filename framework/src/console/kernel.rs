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
    /// Its process took more memory than it may, and is to be started anew: 12.
    Memory,
}

/// An error of a command that ends with another exit code than 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ExitError {
    exit: Exit,
    message: String,
}

impl ExitError {
    /// An error in these words, by which the command ends so.
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }
}

impl Exit {
    /// The process's exit code.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Memory => 12,
        }
    }

    /// How a command ended that met this.
    pub fn of(error: &anyhow::Error) -> Self {
        error.downcast_ref::<ExitError>().map_or(Self::Failed, |error| error.exit)
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
    let matches = match matches(registry, line) {
        Ok(matches) => matches,
        Err(error) => {
            let printed = unless_nobody_reads(error.print());
            return Err(match (error.kind(), printed) {
                (ErrorKind::DisplayHelp | ErrorKind::DisplayVersion, Ok(())) => Exit::Done,
                (ErrorKind::DisplayHelp | ErrorKind::DisplayVersion, Err(_)) => Exit::Failed,
                _ => Exit::Usage,
            });
        }
    };
    Parsed::of(registry, &matches).ok_or(Exit::Usage)
}

/// A command line that the console does not accept, said on one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UsageError(String);

/// Reads the words of a command line, the command first, for somebody who runs it later. Nothing is printed.
///
/// # Errors
/// [`UsageError`]: there is no such command, or it takes no such arguments.
pub fn parse_words(registry: &Registry, words: impl IntoIterator<Item = String>) -> Result<Parsed, UsageError> {
    let line = std::iter::once("artisan".to_owned()).chain(words).map(OsString::from);
    let matches = matches(registry, line).map_err(|error| {
        if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
            return UsageError("it would print help, and do nothing".to_owned());
        }
        if let Some(ContextValue::String(name)) = error.get(ContextKind::InvalidSubcommand) {
            let near = match error.get(ContextKind::SuggestedSubcommand) {
                Some(ContextValue::Strings(near)) if !near.is_empty() => {
                    format!("; did you mean `{}`?", near.join("` or `"))
                }
                _ => String::new(),
            };
            return UsageError(format!("there is no command `{name}`{near}"));
        }
        // What is wrong and what may have been meant, without how the command is called.
        let said = error.render().to_string();
        let lines = said.lines().map(str::trim).take_while(|line| !line.starts_with("Usage:"));
        let lines: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
        UsageError(lines.join("; ").trim_start_matches("error: ").to_owned())
    })?;
    Parsed::of(registry, &matches).ok_or_else(|| UsageError("it names no command".to_owned()))
}

fn matches(registry: &Registry, line: impl IntoIterator<Item = OsString>) -> Result<ArgMatches, clap::Error> {
    clap_command(registry).try_get_matches_from(line).map_err(|mut error| {
        suggest_the_nearest(&mut error);
        error
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
    fn of(registry: &Registry, matches: &ArgMatches) -> Option<Self> {
        let (name, arguments) = matches.subcommand().unwrap_or(("list", matches));
        Some(Self {
            registry: registry.clone(),
            entry: registry.get(name)?,
            matches: arguments.clone(),
            json: arguments.get_flag("json"),
            color: arguments.get_one("color").copied().unwrap_or(Color::Auto),
            interactive: !arguments.get_flag("no-interaction"),
        })
    }

    /// The command's name.
    pub fn name(&self) -> &'static str {
        self.entry.name
    }

    /// How far the application has to be started.
    pub fn stage(&self) -> Stage {
        self.entry.stage
    }

    /// The console that the command's flags ask for, on standard output.
    pub fn console(&self) -> Console {
        Console::stdout(self.json, self.color, self.interactive)
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
