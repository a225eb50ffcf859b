//! The console's commands that concern the application as a whole.

use std::{path::Path, sync::Arc};

use anyhow::{Context, bail};
use serde::Serialize;

use super::builder::Variables;
use crate::{
    config::{AppConfig, ConfigSet},
    console::{Command, Console, Stage},
    container::{self, BindingInfo},
    http::RouteTable,
    support::{AppKey, has_value, with_value},
};

/// `about`
#[derive(clap::Args)]
struct About {}

#[derive(Serialize)]
struct Facts {
    name: String,
    environment: &'static str,
    url: String,
    paravel: &'static str,
    application_key: &'static str,
    bindings: usize,
    routes: usize,
    commands: usize,
}

impl Command for About {
    const NAME: &'static str = "about";
    const ABOUT: &'static str = "Show what this application is";
    const STAGE: Stage = Stage::Verified;
    type Dependencies = (Arc<AppConfig>, Arc<RouteTable>);

    async fn run(self, (app, routes): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        let facts = Facts {
            name: app.name.clone(),
            environment: app.env.as_str(),
            url: app.url.clone(),
            paravel: env!("CARGO_PKG_VERSION"),
            application_key: if app.key.is_some() { "set" } else { "not set" },
            bindings: container::current()?.bindings().len(),
            routes: routes.routes().len(),
            commands: console.registry().commands().len(),
        };
        Ok(console.value(&facts)?)
    }
}

crate::command!(About);

/// `env`
#[derive(clap::Args)]
struct EnvCommand {}

#[derive(Serialize)]
struct VariableLine<'a> {
    name: &'a str,
    value: Option<&'a str>,
    source: &'a str,
    doc: &'a str,
    expected: &'a str,
}

impl Command for EnvCommand {
    const NAME: &'static str = "env";
    const ABOUT: &'static str = "List the variables that the application reads, with the values in force";
    const STAGE: Stage = Stage::Verified;
    type Dependencies = (Arc<Variables>,);

    async fn run(self, (variables,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        let lines: Vec<_> = variables
            .0
            .iter()
            .map(|variable| VariableLine {
                name: variable.name,
                value: variable.value.as_deref(),
                source: variable.source,
                doc: variable.doc,
                expected: &variable.expected,
            })
            .collect();
        let columns = [("Variable", "name"), ("Value", "value"), ("From", "source"), ("What it is", "doc")];
        Ok(console.rows(&columns, &lines)?)
    }
}

crate::command!(EnvCommand);

/// `key:generate`
#[derive(clap::Args)]
struct KeyGenerate {
    /// Print the key instead of writing it to .env
    #[arg(long)]
    show: bool,
    /// Replace a key that .env has already: what it encrypted is lost where APP_PREVIOUS_KEYS does not name it
    #[arg(long)]
    force: bool,
}

#[derive(Serialize)]
struct Generated {
    key: String,
}

#[derive(Serialize)]
struct WrittenTo {
    written: &'static str,
}

impl Command for KeyGenerate {
    const NAME: &'static str = "key:generate";
    const ABOUT: &'static str = "Make an application key and write it to .env";
    const STAGE: Stage = Stage::Nothing;
    type Dependencies = ();

    async fn run(self, (): (), console: &mut Console) -> anyhow::Result<()> {
        let key = AppKey::generate()?.to_text();
        if self.show {
            if console.is_json() {
                return Ok(console.value(&Generated { key })?);
            }
            console.line(key);
            return Ok(());
        }
        write_key(Path::new(".env"), &key, self.force)?;
        if console.is_json() {
            return Ok(console.value(&WrittenTo { written: ".env" })?);
        }
        console.success("APP_KEY has been written to .env.");
        Ok(())
    }
}

crate::command!(KeyGenerate);

/// Puts the key into the file, other lines untouched, in one step: the file is never half-written.
fn write_key(path: &Path, key: &str, force: bool) -> anyhow::Result<()> {
    let before = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    if has_value(&before, "APP_KEY") && !force {
        bail!("{} has an APP_KEY already: pass --force to replace it", path.display());
    }
    let after = with_value(&before, "APP_KEY", key);
    let temporary = path.with_extension("tmp");
    let write = || -> std::io::Result<()> {
        write_private(&temporary, &after)?;
        std::fs::rename(&temporary, path)
    };
    write().with_context(|| path.display().to_string())
}

/// Writes a file that only its owner may read: it holds secrets.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// `config:show`
#[derive(clap::Args)]
struct ConfigShow {
    /// Show this part alone, such as `database`
    part: Option<String>,
}

impl Command for ConfigShow {
    const NAME: &'static str = "config:show";
    const ABOUT: &'static str = "Show the configuration in force, secrets redacted";
    const STAGE: Stage = Stage::Verified;
    type Dependencies = (Arc<ConfigSet>,);

    async fn run(self, (configs,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        let Some(part) = self.part else {
            let all: serde_json::Map<_, _> =
                configs.shown().map(|(name, value)| (name.to_owned(), value.clone())).collect();
            return Ok(console.value(&all)?);
        };
        match configs.shown().find(|(name, _)| *name == part) {
            Some((_, value)) => Ok(console.value(value)?),
            None => {
                let parts: Vec<_> = configs.shown().map(|(name, _)| name).collect();
                bail!("the configuration has no part `{part}`; there are: {}", parts.join(", "))
            }
        }
    }
}

crate::command!(ConfigShow);

/// `container:list`
#[derive(clap::Args)]
struct ContainerList {}

impl Command for ContainerList {
    const NAME: &'static str = "container:list";
    const ABOUT: &'static str = "List what the container can make, and what each needs";
    const STAGE: Stage = Stage::Verified;
    type Dependencies = ();

    async fn run(self, (): (), console: &mut Console) -> anyhow::Result<()> {
        let bindings: Vec<BindingInfo> = container::current()?.bindings();
        let columns = [("Key", "key"), ("Lifetime", "lifetime"), ("Needs", "needs"), ("Registered", "registered")];
        Ok(console.rows(&columns, &bindings)?)
    }
}

crate::command!(ContainerList);

/// `container:verify`
#[derive(clap::Args)]
struct ContainerVerify {}

#[derive(Serialize)]
struct Verified {
    bindings: usize,
    faults: usize,
}

impl Command for ContainerVerify {
    const NAME: &'static str = "container:verify";
    const ABOUT: &'static str = "Check that everything the application needs can be made, without making it";
    const STAGE: Stage = Stage::Verified;
    type Dependencies = ();

    async fn run(self, (): (), console: &mut Console) -> anyhow::Result<()> {
        // A graph with faults has not come this far: they have been reported, and the exit code is 1.
        let verified = Verified { bindings: container::current()?.bindings().len(), faults: 0 };
        if console.is_json() {
            return Ok(console.value(&verified)?);
        }
        console.success(format!("{} bindings verified: no faults.", verified.bindings));
        Ok(())
    }
}

crate::command!(ContainerVerify);
