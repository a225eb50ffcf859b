//! The console's `serve` and `route:list` commands.

use std::sync::Arc;

use anyhow::Context;
use serde::Serialize;
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::watch,
};

use super::{Hints, Kernel, RouteTable, bind, serve};
use crate::{
    config::{AppConfig, Environment, HttpConfig},
    console::{Command, Console},
    container,
    database::{Migrator, Seeders},
    events::Monitor,
    queue::Worker,
};

/// `route:list`
#[derive(clap::Args)]
struct RouteList {}

#[derive(Serialize)]
struct Line<'a> {
    method: &'a str,
    path: &'a str,
    name: Option<&'a str>,
    handler: &'a str,
    summary: &'a str,
    inputs: &'a [String],
    output: &'a str,
    injects: &'a [String],
    middleware: &'a [String],
}

impl Command for RouteList {
    const NAME: &'static str = "route:list";
    const ABOUT: &'static str = "List the routes, with what each takes, returns and has injected";
    const STAGE: crate::console::Stage = crate::console::Stage::Verified;
    type Dependencies = (Arc<RouteTable>,);

    async fn run(self, (table,): Self::Dependencies, console: &mut Console) -> anyhow::Result<()> {
        let lines: Vec<_> = table
            .routes()
            .iter()
            .map(|route| Line {
                method: &route.method,
                path: &route.path,
                name: route.name.as_deref(),
                handler: route.operation.handler,
                summary: route.operation.summary,
                inputs: &route.operation.inputs,
                output: &route.operation.output,
                injects: &route.operation.injects,
                middleware: &route.middleware,
            })
            .collect();
        let columns = [("Method", "method"), ("Path", "path"), ("Name", "name"), ("Handler", "handler")];
        Ok(console.rows(&columns, &lines)?)
    }
}

crate::command!(RouteList);

/// `serve`
#[derive(clap::Args)]
struct Serve {
    /// The address to listen on
    #[arg(long)]
    host: Option<String>,
    /// The port to listen on; 0 takes a free one
    #[arg(long)]
    port: Option<u16>,
}

impl Command for Serve {
    const NAME: &'static str = "serve";
    const ABOUT: &'static str = "Run the web server; outside production, migrate first, and seed where it is local";
    type Dependencies =
        (Arc<AppConfig>, Arc<HttpConfig>, Arc<Kernel>, Option<Arc<Migrator>>, Arc<Seeders>, Arc<Hints>, Arc<Monitor>);

    async fn run(
        self,
        (app, config, kernel, migrator, seeders, hints, monitor): Self::Dependencies,
        console: &mut Console,
    ) -> anyhow::Result<()> {
        // Both before anything is printed, so that a stop asked for from then on is never missed.
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let container = container::current()?;
        let host = self.host.as_deref().unwrap_or(&config.host);
        let listener = bind(host, self.port.unwrap_or(config.port)).await?;
        if let Some(migrator) = migrator.filter(|_| !app.is_production()) {
            let applied = migrator.migrate().await?;
            for name in &applied {
                console.line(format!("migrated {name}"));
            }
            if app.env == Environment::Local && !applied.is_empty() {
                let seeded = seeders.run(&[], &container, console).await.map_err(anyhow::Error::from_boxed);
                seeded.context("the database is migrated but not seeded; put this right and run `artisan db:seed`")?;
            }
        }
        let address = listener.local_addr()?;
        console.success(format!("{} is served on http://{address}", app.name));
        if app.env == Environment::Local {
            for hint in &hints.0 {
                let command = hint.command.replace("{url}", &format!("http://{address}"));
                console.line(format!("\n  # {}\n  {command}", hint.what));
            }
            console.line("");
        }
        console.line("Stop it with Ctrl+C.");
        let watching = container::spawn(async move { monitor.run().await });
        let (stopping, stopped) = watch::channel(false);
        let working = match Worker::beside_server(&container)? {
            Some(worker) => {
                console.line(format!("Jobs are run here too: {}.", worker.names().join(", ")));
                let container = container.clone();
                Some(container::spawn(async move { worker.run_anew(&container, stopped).await }))
            }
            None => None,
        };
        let stop = async {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            tracing::info!("stopping: open requests and jobs may end");
            let _ = stopping.send(true);
        };
        // Requests have scopes of their own, outside this command's.
        if !serve(listener, kernel.endpoint(&container), &config, stop).await {
            tracing::warn!("requests were still open at the deadline, and were cut off");
        }
        watching.abort();
        if let Some(working) = working {
            let report = working.await??;
            tracing::info!(?report, "the worker has ended");
        }
        Ok(())
    }
}

crate::command!(Serve);
