//! The commands that concern the console itself.

use clap_complete::Shell;

use super::{Command, Console, Stage, kernel::clap_command};

/// `list`
#[derive(clap::Args)]
struct List {}

impl Command for List {
    const NAME: &'static str = "list";
    const ABOUT: &'static str = "List the commands";
    const STAGE: Stage = Stage::Nothing;
    type Dependencies = ();

    async fn run(self, (): (), console: &mut Console) -> anyhow::Result<()> {
        let commands = console.registry().commands();
        Ok(console.rows(&[("Command", "name"), ("What it does", "about")], &commands)?)
    }
}

crate::command!(List);

/// `completions`
#[derive(clap::Args)]
struct Completions {
    /// The shell to make them for
    shell: Shell,
}

impl Command for Completions {
    const NAME: &'static str = "completions";
    const ABOUT: &'static str = "Print a shell's completion script for the console";
    const STAGE: Stage = Stage::Nothing;
    type Dependencies = ();

    async fn run(self, (): (), console: &mut Console) -> anyhow::Result<()> {
        let mut command = clap_command(console.registry());
        // It panics where it cannot write.
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "artisan", &mut script);
        console.write(&script);
        Ok(())
    }
}

crate::command!(Completions);
