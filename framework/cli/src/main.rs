//! `paravel`: makes new applications of the Paravel toolkit.
//!
//! It does not use the crate `paravel`: whoever installs this binary compiles it, and should not have to compile a
//! web server and a database for it.

mod framework;
mod key;
mod name;
mod new;
mod stubs;
mod template;
mod walk;

use std::{
    io::{self, Write},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, Parser, Subcommand};

use new::NewError;
use stubs::StubsError;

/// Makes new applications of the Paravel toolkit
#[derive(Parser)]
#[command(name = "paravel", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    New(New),
    Stubs(Stubs),
}

/// Make a new application
///
/// Writes a complete application, users and roles behind a JSON API, with a fresh APP_KEY in its .env. It is written
/// beside its place first and then moved there, so that a failure leaves nothing behind.
#[derive(Args)]
struct New {
    /// The new folder; its last part becomes the package's name, as `cargo new` would have it
    #[arg(value_name = "NAME")]
    path: PathBuf,
    /// The folder of the crate `paravel`: `framework` in the toolkit's repository
    #[arg(long, value_name = "DIR")]
    framework_path: PathBuf,
}

/// Remake the templates of new applications from the toolkit's own repository
///
/// For those who work on the toolkit. A new application equals the repository's root without what belongs to the
/// toolkit: this writes the root's files, tracked or new but not ignored, to framework/stubs/app.
///
/// In any file, the lines between `# paravel-new: leave out` and `# paravel-new: go on` (or `//` for `#`, or
/// between `<!--` and `-->`) stay out of the template. Without the second line the rest of the file does, and a file of
/// which nothing is left is no template.
#[derive(Args)]
struct Stubs {
    /// The repository's root
    #[arg(long, value_name = "DIR", default_value = ".")]
    root: PathBuf,
    /// Write nothing; name every template that is not current, and exit with 1 where there is one
    #[arg(long)]
    check: bool,
}

/// What ended a command.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    New(#[from] NewError),
    #[error(transparent)]
    Stubs(#[from] StubsError),
    #[error("cannot print: {0}")]
    Print(#[from] io::Error),
}

fn main() -> ExitCode {
    // Exits with 2 where the command line is wrong.
    let ended = match Cli::parse().command {
        Command::New(new) => new.run(),
        Command::Stubs(stubs) => stubs.run(),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            // As the rest of the command line, a name can be wrong whatever is on the disk.
            if matches!(failure, Failure::New(NewError::Name(_))) { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

impl New {
    fn run(self) -> Result<(), Failure> {
        let name = new::create(&self.path, &self.framework_path)?;
        let folder = shell_quoted(&self.path.display().to_string());
        let next = format!("{name} is ready. Next:\n\n  cd {folder}\n  cargo artisan serve\n");
        Ok(writeln!(io::stdout(), "{next}")?)
    }
}

impl Stubs {
    fn run(self) -> Result<(), Failure> {
        if self.check {
            let templates = stubs::check(&self.root)?;
            return Ok(writeln!(io::stdout(), "{templates} templates are current.")?);
        }
        let written = stubs::write(&self.root)?;
        Ok(writeln!(
            io::stdout(),
            "{} templates: {} written, {} removed.",
            written.templates,
            written.written,
            written.removed
        )?)
    }
}

/// The text as one word of a POSIX shell.
fn shell_quoted(text: &str) -> String {
    if text.chars().all(|character| character.is_alphanumeric() || "/._-".contains(character)) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', r"'\''"))
    }
}
