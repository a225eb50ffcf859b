//! The console's `serve` and `route:list` commands.

use std::sync::Arc;

use anyhow::Context;
use serde::Serialize;

use super::{Hints, Kernel, RouteTable, bind, serve};
use crate::{
    config::{AppConfig, Environment, HttpConfig},
    console::{Command, Console, Stops},
    container,
    database::{Migrator, Seeders},
    events::Monitor,
    queue::{Queue, Worker},
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
        let stops = Stops::on_signals()?;
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
        // It may be away, and the server is not to wait for it.
        let risk = container::spawn(warn_of_risk(container.make::<Queue>()?));
        let working = match Worker::beside_server(&container)? {
            Some(worker) => {
                console.line(format!("Jobs are run here too: {}.", worker.names().join(", ")));
                let (container, stops) = (container.clone(), stops.clone());
                Some(container::spawn(async move { worker.run_anew(&container, |times| stops.asked(times)).await }))
            }
            None => None,
        };
        let stop = async {
            stops.asked(1).await;
            tracing::info!("stopping: open requests and jobs may end");
        };
        // Requests have scopes of their own, outside this command's.
        let served = serve(listener, kernel.endpoint(&container), &config, stop);
        let all_ended = tokio::select! {
            all_ended = served => all_ended,
            () = stops.asked(2) => false,
        };
        if !all_ended {
            tracing::warn!("requests were still open at the deadline, or at a second signal, and are cut off");
        }
        watching.abort();
        risk.abort();
        if let Some(working) = working {
            let report = working.await??;
            tracing::info!(?report, "the worker has ended");
        }
        Ok(())
    }
}

crate::command!(Serve);

/// Warns where what is dispatched may be lost.
async fn warn_of_risk(queue: Arc<Queue>) {
    match queue.risk().await {
        Ok(Some(risk)) => tracing::warn!("{risk}"),
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "what stores the jobs does not say what it keeps"),
    }
}
