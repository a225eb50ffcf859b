use std::future::Future;

use clap::ArgMatches;
use futures_util::future::BoxFuture;

use super::Console;
use crate::container::{Container, Dependencies, DependencyInfo, NoApplication, Resolver};

/// How far the application is started before a command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Stage {
    /// Not at all: the command works even where the configuration is wrong. It has no dependencies.
    Nothing,
    /// Up to a verified container; no provider has booted and no database is open.
    Verified,
    /// All of it.
    Booted,
}

/// A part that not every application has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part {
    /// A database, as `ApplicationBuilder::database` gives one.
    Database,
}

/// A console command: a clap argument struct with a name, what it needs and what it does.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a command",
    note = "derive `clap::Args` for it and implement `paravel::console::Command`"
)]
pub trait Command: clap::Args + Send + 'static {
    /// Its name, such as `user:create`.
    const NAME: &'static str;
    /// What it does, in one line.
    const ABOUT: &'static str;
    /// How far the application is started first.
    const STAGE: Stage = Stage::Booted;
    /// The part of the application that it is about; an application without that part has no such command.
    const PART: Option<Part> = None;
    /// The services that it needs, as a tuple; `()` for none.
    type Dependencies: Dependencies + Send;

    /// Runs it. An error is printed on one line and makes the exit code 1, or what an [`ExitError`](super::ExitError) says.
    fn run(
        self,
        dependencies: Self::Dependencies,
        console: &mut Console,
    ) -> impl Future<Output = anyhow::Result<()>> + Send;
}

type Run = for<'a> fn(&'a ArgMatches, Option<&'a Container>, &'a mut Console) -> BoxFuture<'a, anyhow::Result<()>>;

/// A command without its type.
#[derive(Clone, Copy)]
pub struct CommandEntry {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) stage: Stage,
    pub(super) part: Option<Part>,
    pub(super) arguments: fn(clap::Command) -> clap::Command,
    pub(super) dependencies: fn() -> Vec<DependencyInfo>,
    pub(super) run: Run,
}

inventory::collect!(CommandEntry);

impl CommandEntry {
    /// The entry of `C`.
    pub const fn of<C: Command>() -> Self {
        Self {
            name: C::NAME,
            about: C::ABOUT,
            stage: C::STAGE,
            part: C::PART,
            arguments: C::augment_args,
            dependencies: C::Dependencies::infos,
            run: |matches, container, console| Box::pin(run::<C>(matches, container, console)),
        }
    }
}

async fn run<C: Command>(
    matches: &ArgMatches,
    container: Option<&Container>,
    console: &mut Console,
) -> anyhow::Result<()> {
    let command = C::from_arg_matches(matches)?;
    let dependencies = match container {
        Some(container) => C::Dependencies::resolve(&Resolver::new(container))?,
        None => C::Dependencies::none().ok_or(NoApplication)?,
    };
    command.run(dependencies, console).await
}
