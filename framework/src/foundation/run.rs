use std::{
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
    sync::Arc,
};

use super::{ApplicationBuilder, logging};
use crate::{
    config::{DatabaseConfig, LogConfig},
    console::{Exit, Parsed, Stage, parse},
    container::{Container, set_global},
    database::{DatabaseAdmin, advice},
    queue::Queue,
    support::with_causes,
};

/// The whole `main` of a binary: runs the command that the command line names, and gives the exit code.
///
/// ```no_run
/// # mod app { pub fn application() -> paravel::foundation::ApplicationBuilder { Default::default() } }
/// fn main() -> std::process::ExitCode {
///     paravel::foundation::main(app::application())
/// }
/// ```
pub fn main(application: ApplicationBuilder) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(format_args!("cannot start the runtime: {error}"));
            return Exit::Failed.into();
        }
    };
    let exit = runtime.block_on(run(application, std::env::args_os()));
    // What still runs on blocking threads must not keep the process.
    runtime.shutdown_background();
    exit.into()
}

/// Runs the command that `line` names, the program's name first, and says how it ended. What went wrong has been
/// printed to standard error.
pub async fn run(application: ApplicationBuilder, line: impl IntoIterator<Item = OsString>) -> Exit {
    let registry = application.registry();
    let parsed = match parse(&registry, line) {
        Ok(parsed) => parsed,
        Err(exit) => return exit,
    };
    match execute(application, &parsed).await {
        Ok(()) => Exit::Done,
        Err(error) => {
            let mut text = with_causes(error.as_ref());
            if let Some(advice) = advice(&text) {
                text = format!("{text}: {advice}");
            }
            complain(format_args!("{text}"));
            Exit::of(&error)
        }
    }
}

/// Puts the database's address before an error that advice is given about: an error of a query names none.
fn name_database(error: anyhow::Error, container: &Container) -> anyhow::Error {
    let text = format!("{error:#}");
    match (container.make::<DatabaseConfig>(), container.bound::<dyn DatabaseAdmin>()) {
        (Ok(config), true) if advice(&text).is_some() && !text.contains(&config.url.to_string()) => {
            error.context(config.url.to_string())
        }
        _ => error,
    }
}

/// Says of jobs that they go with this process: nobody works on them, and nobody else ever saw them.
async fn warn_of_lost_jobs(container: &Container) {
    let Ok(queue) = container.make::<Queue>() else { return };
    if !queue.is_in_memory() || queue.is_sync() {
        return;
    }
    for (name, depth) in queue.depths().await.unwrap_or_default() {
        if depth.total() > 0 {
            let jobs = depth.total();
            warn(format_args!(
                "{jobs} job(s) of the queue `{name}` are lost with this process, in whose memory they wait \
                 (QUEUE_CONNECTION=memory): let `serve` run what dispatches them, or have them wait in a database or in Redis"
            ));
        }
    }
}

/// Says what went wrong. Where that cannot be written either, the exit code says it: `eprintln` would panic.
fn complain(what: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "error: {what}");
}

fn warn(what: std::fmt::Arguments<'_>) {
    let _ = writeln!(io::stderr(), "warning: {what}");
}

async fn execute(application: ApplicationBuilder, parsed: &Parsed) -> anyhow::Result<()> {
    let mut console = parsed.console();
    if parsed.stage() == Stage::Nothing {
        return parsed.run(None, &mut console).await;
    }
    let application = application.build()?;
    let config: Arc<LogConfig> = application.container().make()?;
    logging::start(&config);
    for warning in application.warnings() {
        tracing::warn!("{warning}");
    }
    // The process's own container, for code that runs under none: it is the only application here.
    set_global(application.container().clone());
    if parsed.stage() >= Stage::Booted {
        application.boot().await?;
    }
    let container = application.container().scope();
    let done = container.run(parsed.run(Some(&container), &mut console)).await;
    application.shutdown().await;
    if parsed.stage() >= Stage::Booted {
        warn_of_lost_jobs(&container).await;
    }
    done.map_err(|error| name_database(error, &container))
}
